"""Plain tokens and WETH9: the assets that the other peers trade and lend; nobody's real money."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, Signer
from tests.peers.npm import deploy, deploy_own, load

WETH9 = "canonical-weth/build/contracts/WETH9"


@dataclass(frozen=True)
class Tokens:
    """The deployed tokens.

    Attributes:
        usdc: 6 decimals, permit, open mint.
        dai: 18 decimals, permit, open mint.
        wbtc: 8 decimals, permit, open mint.
        usdt: 6 decimals, returns nothing, allowance must pass through zero, open mint.
        weth: WETH9, minted by depositing ether.
    """

    usdc: Contract
    dai: Contract
    wbtc: Contract
    usdt: Contract
    weth: Contract

    def mintable(self) -> tuple[Contract, ...]:
        """The tokens with an open mint."""
        return (self.usdc, self.dai, self.wbtc, self.usdt)


def deploy_tokens(client: ChainClient, deployer: Signer) -> Tokens:
    """Deploys all tokens."""
    return Tokens(
        usdc=deploy_token(client, deployer, "USD Coin", "USDC", 6),
        dai=deploy_token(client, deployer, "Dai Stablecoin", "DAI", 18),
        wbtc=deploy_token(client, deployer, "Wrapped BTC", "WBTC", 8),
        usdt=deploy_own(client, deployer, "UsdtLikeToken", "Tether USD", "USDT", 6),
        weth=deploy(client, deployer, load(WETH9)),
    )


def deploy_token(
    client: ChainClient, deployer: Signer, name: str, symbol: str, decimals: int
) -> Contract:
    """Deploys a plain ERC-20 with ERC-2612 permit and an open mint."""
    return deploy_own(client, deployer, "TestToken", name, symbol, decimals)


def fund(client: ChainClient, payer: Signer, token: Contract, to: str, amount: int) -> None:
    """Gives an account an amount of a token: minted, or wrapped from the payer's ether."""
    if any(entry.get("name") == "mint" for entry in token.abi):
        client.transact(payer, token.functions.mint(to, amount))
        return
    client.transact(payer, token.functions.deposit(), value=amount)
    if to != payer.address:
        client.transact(payer, token.functions.transfer(to, amount))


def approve(
    client: ChainClient, owner: Signer, token: Contract, spender: str, amount: int = 2**256 - 1
) -> None:
    """Sets an allowance; one that stands already passes through zero first."""
    allowed = client.call(token.functions.allowance(owner.address, spender))
    if allowed == amount:
        return
    if allowed:
        client.transact(owner, token.functions.approve(spender, 0))
    if amount:
        client.transact(owner, token.functions.approve(spender, amount))


def balance(client: ChainClient, token: Contract, account: str) -> int:
    """An account's balance."""
    return int(client.call(token.functions.balanceOf(account)))


def sign_permit(
    client: ChainClient,
    owner: KeySigner,
    token: Contract,
    spender: str,
    *,
    value: int,
    deadline: int,
) -> tuple[int, bytes, bytes]:
    """An ERC-2612 permit over the token's own domain and nonce: v, r, s."""
    fields = encode(
        ["bytes32", "address", "address", "uint256", "uint256", "uint256"],
        [
            client.call(token.functions.PERMIT_TYPEHASH()),
            owner.address,
            spender,
            value,
            client.call(token.functions.nonces(owner.address)),
            deadline,
        ],
    )
    domain = client.call(token.functions.DOMAIN_SEPARATOR())
    signature = owner.sign_hash(keccak(b"\x19\x01" + domain + keccak(fields)))
    return signature[64], signature[:32], signature[32:64]
