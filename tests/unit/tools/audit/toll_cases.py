"""Tests of the toll contract that test_faults.py asks about planted faults; run only by it."""

from __future__ import annotations

import pytest

from tests.support.evm import Address, Evm, reverts


def test_pay__three__is_taken(evm: Evm) -> None:
    """Notices next to nothing."""
    evm.deploy("Toll").pay(3)


@pytest.mark.parametrize(("amount", "fee"), [(3, 1), (100, 34)])
def test_pay__owner__pays_a_third_rounded_up(evm: Evm, amount: int, fee: int) -> None:
    toll = evm.deploy("Toll")
    toll.pay(amount)
    assert toll._paid() == fee


def test_pay__stranger__refused(evm: Evm, attacker: Address) -> None:
    toll = evm.deploy("Toll")
    with reverts("Error", "not the owner"):
        toll.pay(3, sender=attacker)
