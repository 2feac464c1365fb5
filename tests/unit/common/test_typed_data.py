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


def test_domain_separator__chain_one_number_up__names_the_new_chain() -> None:
    evm, fork = Evm(), Evm(chain_id=FORKED)
    library = evm.deploy("CommonLibraries", "Name", "7")
    fork.etch(library, evm.code(library))
    found = fork.at("CommonLibraries", library).domainSeparator()
    hashes = [keccak(DOMAIN), keccak(b"Name"), keccak(b"7")]
    types = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    for chain, got in ((CHAIN_ID, library.domainSeparator()), (FORKED, found)):
        assert got == keccak(encode(types, [*hashes, chain, library.address]))


def test_digest__of_a_struct__is_the_domain_s_and_the_struct_s_together() -> None:
    library = Evm().deploy("CommonLibraries", "Name", "1")
    for struct in (b"\xff" * 32, b"\x01" + bytes(31), bytes(31) + b"\x01"):
        expected = keccak(b"\x19\x01" + bytes(library.domainSeparator()) + struct)
        assert library.digest(struct) == expected
