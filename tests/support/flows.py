"""Puts gateway and queue beside a router and signs intents, for tests; expects nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from eth_account.messages import encode_typed_data

from tests.support.capital import World, build_world
from tests.support.evm import CHAIN_ID, Address, Contract, Evm, interface, labelled

GOVERNANCE, GUARDIAN, KEEPER, BATCHER, COMPLIANCE = 0, 1, 3, 4, 5
NORMAL, THROTTLED, WITHDRAW_ONLY, FROZEN = range(4)
NO_PERMIT = (0, 0, 0, bytes(32), bytes(32))
REASONS = (
    "NONE",
    "EXPIRED",
    "NONCE_USED",
    "BAD_SIGNATURE",
    "ZERO_AMOUNT",
    "NOT_FUNDED",
    "BELOW_MINIMUM",
    "NO_ROOM",
    "REFUSED",
)

INTENT_FIELDS = {
    "DepositIntent": ("assets", "minShares"),
    "ExitIntent": ("shares", "minAssets"),
}
CREDENTIAL = [
    {"name": "investor", "type": "address"},
    {"name": "tier", "type": "uint8"},
    {"name": "jurisdiction", "type": "uint16"},
    {"name": "expiry", "type": "uint40"},
    {"name": "serial", "type": "uint64"},
]
PERMIT = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


def sign_typed(
    signer: Address, name: str, verifier: Any, kind: str, fields: list[dict[str, str]], message: Any
) -> tuple[int, bytes, bytes]:
    """(v, r, s) over an EIP-712 struct of the test chain."""
    domain = {
        "name": name,
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": getattr(verifier, "address", verifier),
    }
    full = {"types": {kind: fields}, "primaryType": kind, "domain": domain, "message": message}
    signed = signer.signer.sign_message(encode_typed_data(full_message=full))
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def packed(signature: tuple[int, bytes, bytes]) -> bytes:
    """The 65 bytes r, s, v."""
    v, r, s = signature
    return r + s + bytes([v])


def sign_permit(
    owner: Address, name: str, token: Any, spender: Any, value: int, nonce: int, deadline: int
) -> tuple[int, int, int, bytes, bytes]:
    """An ERC-2612 permit, in the form in which an intent carries it."""
    message = {
        "owner": owner,
        "spender": spender.address,
        "value": value,
        "nonce": nonce,
        "deadline": deadline,
    }
    return (value, deadline, *sign_typed(owner, name, token, "Permit", PERMIT, message))


@dataclass(frozen=True)
class Intent:
    """A deposit or an exit as its owner means it; amounts in the fields' own units."""

    kind: str
    owner: str
    receiver: str
    amount: int
    minimum: int
    nonce: int
    deadline: int
    permit: tuple[int, int, int, bytes, bytes] = NO_PERMIT
    signature: bytes | None = None
    signer: Address | None = None

    def fields(self) -> tuple[str, str, int, int, int, int]:
        """The struct as the contract takes it."""
        return (
            self.owner,
            self.receiver,
            self.amount,
            self.minimum,
            self.nonce,
            self.deadline,
        )

    def signed(self, gateway: Contract) -> tuple[Any, bytes, Any]:
        """`SignedDeposit` or `SignedExit`; signed by `signer`, or by the owner's key."""
        if self.signature is not None:
            return self.fields(), self.signature, self.permit
        amount, minimum = INTENT_FIELDS[self.kind]
        names = ("owner", "receiver", amount, minimum, "nonce", "deadline")
        types = ("address", "address", "uint256", "uint256", "uint256", "uint256")
        fields = [{"name": n, "type": t} for n, t in zip(names, types, strict=True)]
        signer = self.signer or self.owner
        assert isinstance(signer, Address)
        proof = sign_typed(
            signer,
            "Breakwater DepositGateway",
            gateway,
            self.kind,
            fields,
            dict(zip(names, self.fields(), strict=True)),
        )
        return self.fields(), packed(proof), self.permit


@dataclass
class Flows:
    """One router with its gateway, queue and a strategy, and who may do what."""

    evm: Evm
    capital: World
    gateway: Contract
    queue: Contract
    strategy: Contract
    batcher: Address
    compliance: Address
    batches: int = 0
    nonces: dict[str, int] = field(default_factory=dict)

    @property
    def asset(self) -> Contract:
        return self.capital.asset

    @property
    def router(self) -> Contract:
        return self.capital.router

    @property
    def authority(self) -> Contract:
        return self.capital.authority

    @property
    def gate(self) -> Address:
        return self.capital.gate

    @property
    def governance(self) -> Address:
        return self.capital.governance

    @property
    def keeper(self) -> Address:
        return self.capital.keeper

    @property
    def scale(self) -> int:
        """Smallest shares per smallest asset while the price is one."""
        return int(10 ** (self.router.decimals() - self.asset.decimals()))

    def permit_role(self, target: Contract, name: str, methods: list[str], role: int) -> None:
        """Lets `role` call `methods` of `target`, which is a contract of that name."""
        selectors = [f.selector for m in methods for f in interface(name).by_name[m]]
        args = (target, selectors, role)
        self.authority.setTargetFunctionRole(*args, sender=self.governance)

    def lend_all_but(self, kept: int) -> None:
        """Leaves `kept` assets idle; the rest goes to the strategy."""
        self.capital.lend(self.strategy, self.router.idle() - kept)

    def set_liquidity(self, assets: int) -> None:
        """Lends what is idle; the strategy pays out so many assets and no more."""
        if self.router.idle() != 0:
            self.lend_all_but(0)
        self.strategy.setLimit(True, assets)

    def lose(self, assets: int, report: bool) -> None:
        """The strategy loses so much; the router knows it only after a report."""
        self.strategy.lose(assets)
        if report:
            self.capital.report(self.strategy)

    def make_price_awkward(self, unit: int) -> None:
        """A founder's deposit and a gain that ends near 10/7 assets a share, all of it unlocked."""
        self.invest("founder", 7 * unit + 3)
        self.lend_all_but(0)
        self.strategy.gain(3 * unit + 1)
        self.capital.report(self.strategy)
        self.evm.mine(seconds=30 * 86_400)

    def fund(self, label: str, assets: int, spender: Any = None) -> Address:
        """An account with `assets`, all of it approved to the gateway (or `spender`)."""
        account = self.evm.account(label)
        self.asset.mint(account, assets)
        self.asset.approve(spender or self.gateway, 2**256 - 1, sender=account)
        return account

    def invest(self, label: str, assets: int) -> Address:
        """An account that holds the shares of a deposit, approved to gateway and queue."""
        account = self.fund(label, assets, self.router)
        self.router["deposit(uint256,address)"](assets, account, sender=account)
        for spender in (self.gateway, self.queue):
            self.router.approve(spender, 2**256 - 1, sender=account)
        return account

    def deposit_intent(self, owner: str, assets: int, **changes: Any) -> Intent:
        """A deposit with no minimum, valid for an hour, under the owner's next nonce."""
        return self._intent("DepositIntent", owner, assets, changes)

    def exit_intent(self, owner: str, shares: int, **changes: Any) -> Intent:
        """An exit with no minimum, valid for an hour, under the owner's next nonce."""
        return self._intent("ExitIntent", owner, shares, changes)

    def _intent(self, kind: str, owner: str, amount: int, changes: dict[str, Any]) -> Intent:
        nonce = self.nonces.get(owner, 0)
        self.nonces[owner] = nonce + 1
        plain = Intent(kind, owner, owner, amount, 0, nonce, self.evm.timestamp + 3_600)
        return replace(plain, **changes)

    def permit(self, token: Contract, owner: Address, value: int, nonce: int = 0) -> Any:
        """An ERC-2612 permit for the gateway, as an intent carries it."""
        name, deadline = token.name(), self.evm.timestamp + 3_600
        return sign_permit(owner, name, token, self.gateway, value, nonce, deadline)

    def settle(self, *intents: Intent, gas: int = 30_000_000) -> tuple[int, int]:
        """Settles them in the next batch."""
        self.batches += 1
        done = self.gateway.settle(
            self.batches.to_bytes(32, "big"),
            [i.signed(self.gateway) for i in intents if i.kind == "DepositIntent"],
            [i.signed(self.gateway) for i in intents if i.kind == "ExitIntent"],
            sender=self.batcher,
            gas=gas,
        )
        return int(done[0]), int(done[1])

    def rejections(self) -> list[tuple[str, str]]:
        """(owner, reason) of each intent that the last batch left out."""
        found = self.evm.events("IntentRejected")
        return [(e["owner"], REASONS[e["reason"]]) for e in found]


def flows(
    evm: Evm,
    decimals: int = 18,
    token: str = "TestToken",
    token_args: tuple[Any, ...] = (),
    metered: bool = False,
) -> Flows:
    """A fresh router with a gateway, a queue and one strategy."""
    capital = build_world(evm, decimals, token, token_args, metered)
    gateway = evm.deploy("DepositGateway", capital.router, capital.authority, capital.gate)
    queue = evm.deploy("ExitQueue", capital.router, capital.gate)
    capital.router.setExitQueue(queue, sender=capital.governance)
    strategy = capital.add_strategy()
    people = evm.account("batcher"), evm.account("compliance")
    world = Flows(evm, capital, gateway, queue, strategy, *people)
    world.permit_role(gateway, "DepositGateway", ["settle"], BATCHER)
    for role, holder in ((BATCHER, people[0]), (COMPLIANCE, people[1])):
        capital.authority.grantRole(role, holder, 0, sender=capital.governance)
    return world


__all__ = ["Flows", "Intent", "flows", "labelled", "packed", "sign_permit", "sign_typed"]
