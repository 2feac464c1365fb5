"""TypedData: a domain is bound to its chain, also when the chain splits after deployment."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.evm import CHAIN_ID, Contract, Evm

FORKED = CHAIN_ID + 1
DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def separator(contract: Contract, chain_id: int) -> bytes:
    """As EIP-712 has it."""
    hashes = [keccak(DOMAIN), keccak(b"Breakwater InvestorRegistry"), keccak(b"1")]
    types = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    return keccak(encode(types, [*hashes, chain_id, contract.address]))


def test_domain_separator__chain_of_the_deployment__names_it() -> None:
    evm = Evm()
    registry = evm.deploy("InvestorRegistry", evm.account("authority"))
    assert registry.domainSeparator() == separator(registry, CHAIN_ID)


def test_domain_separator__chain_split_since__names_the_new_chain() -> None:
    """What was signed for one side does not count on the other."""
    evm, fork = Evm(), Evm(chain_id=FORKED)
    registry = evm.deploy("InvestorRegistry", evm.account("authority"))
    fork.etch(registry, evm.code(registry))
    found = fork.at("InvestorRegistry", registry).domainSeparator()
    assert found == separator(registry, FORKED) != registry.domainSeparator()
