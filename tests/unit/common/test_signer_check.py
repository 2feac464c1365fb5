"""SignerCheck, alone: an account's own key, a contract's word, and everything that is neither."""

from __future__ import annotations

from functools import cache

import pytest
from eth_account import Account

from tests.support.evm import Address, Contract, Evm, labelled
from tests.support.flows import packed

DIGEST = b"\x11" * 32
MAGIC = bytes.fromhex("1626ba7e") + bytes(28)
NOBODY = "0x" + "00" * 20
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@cache
def library() -> Contract:
    return Evm().deploy("CommonLibraries", "Name", "1")


@pytest.fixture
def evm() -> Evm:
    return library()._evm


def signed(account: Address, digest: bytes = DIGEST) -> bytes:
    """r, s, v of an account's own key."""
    one = Account.from_key(account.key).unsafe_sign_hash(digest)
    return packed((one.v, one.r.to_bytes(32, "big"), one.s.to_bytes(32, "big")))


def answering(words: bytes, end: str = "f3") -> bytes:
    """Code that gives these bytes back, by RETURN or by REVERT, whatever it is asked."""
    # PUSH1 size PUSH1 offset PUSH0 CODECOPY PUSH1 size PUSH0 end
    head = bytes.fromhex(f"60{len(words):02x}600a5f3960{len(words):02x}5f{end}")
    assert len(head) == 10
    return head + words


def accepted(signer: str, signature: bytes, digest: bytes = DIGEST) -> bool:
    return bool(library().isSignedBy(signer, digest, signature))


def test_is_signed_by__own_key__counts_for_him_and_this_digest_alone() -> None:
    alice, bob = labelled("alice"), labelled("bob")
    assert accepted(alice, signed(alice))
    assert not accepted(bob, signed(alice))
    assert not accepted(alice, signed(alice), b"\x12" * 32)


def test_is_signed_by__no_signature_at_all__counts_for_nobody() -> None:
    """What cannot be recovered is the zero address, and that has signed nothing."""
    for signature in (b"", bytes(65), bytes(64), b"\x01" * 66):
        assert not accepted(NOBODY, signature)
        assert not accepted(labelled("alice"), signature)


def test_is_signed_by__the_other_of_two_equal_signatures__refused() -> None:
    alice = labelled("alice")
    good = signed(alice)
    s = (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    assert not accepted(alice, good[:32] + s + bytes([55 - good[64]]))


def test_is_signed_by__own_key_of_an_account_with_code__counts(evm: Evm) -> None:
    """Whatever the code would say."""
    alice = labelled("alice")
    with evm.rollback():
        evm.etch(alice, answering(bytes(32)))
        assert accepted(alice, signed(alice))
        assert not accepted(alice, signed(labelled("bob")))


def test_is_signed_by__contract_says_yes__counts(evm: Evm) -> None:
    wallet = evm.account("wallet")
    with evm.rollback():
        evm.etch(wallet, answering(MAGIC))
        assert accepted(wallet, b"")
        assert accepted(wallet, signed(labelled("bob")))


def test_is_signed_by__contract_of_one_byte__is_asked(evm: Evm) -> None:
    """STOP answers nothing, which is no yes."""
    wallet = evm.account("wallet")
    with evm.rollback():
        evm.etch(wallet, b"\x00")
        assert not accepted(wallet, signed(labelled("bob")))


def test_is_signed_by__address_without_code_that_echoes__refused() -> None:
    """The precompile at 4 gives back its question, which begins with the word for yes."""
    echo = "0x" + "00" * 19 + "04"
    assert library()._evm.code(echo) == b""
    assert not accepted(echo, b"", bytes(32))
    assert not accepted(echo, signed(labelled("bob"), bytes(32)), bytes(32))


def test_is_signed_by__contract_says_yes_and_more__counts(evm: Evm) -> None:
    """The first word is the answer."""
    wallet = evm.account("wallet")
    with evm.rollback():
        evm.etch(wallet, answering(MAGIC + b"\x07"))
        assert accepted(wallet, b"")


def test_is_signed_by__contract_says_less_than_a_word__refused(evm: Evm) -> None:
    wallet = evm.account("wallet")
    for words in (MAGIC[:31], MAGIC[:4], b""):
        with evm.rollback():
            evm.etch(wallet, answering(words))
            assert not accepted(wallet, b"")


def test_is_signed_by__contract_says_anything_else__refused(evm: Evm) -> None:
    wallet = evm.account("wallet")
    for words in (bytes(32), b"\xff" * 32, MAGIC[:31] + b"\x01", bytes(28) + MAGIC[:4]):
        with evm.rollback():
            evm.etch(wallet, answering(words))
            assert not accepted(wallet, b"")


def test_is_signed_by__contract_refuses_with_the_yes_word__refused(evm: Evm) -> None:
    wallet = evm.account("wallet")
    with evm.rollback():
        evm.etch(wallet, answering(MAGIC, "fd"))
        assert not accepted(wallet, b"")


def test_is_signed_by__contract__is_asked_about_this_digest_and_signature(evm: Evm) -> None:
    """The wallet has one key: it says yes to what that signed, and to nothing else."""
    alice = labelled("alice")
    wallet = evm.deploy("ContractWallet", alice)
    assert accepted(wallet.address, signed(alice))
    assert not accepted(wallet.address, signed(labelled("bob")))
    assert not accepted(wallet.address, signed(alice), b"\x12" * 32)


def test_is_signed_by__contract_burns_all_its_gas__refused(evm: Evm) -> None:
    """JUMPDEST PUSH0 JUMP, for ever."""
    wallet = evm.account("wallet")
    with evm.rollback():
        evm.etch(wallet, bytes.fromhex("5b5f56"))
        assert not library().isSignedBy(wallet, DIGEST, b"", gas=400_000)
