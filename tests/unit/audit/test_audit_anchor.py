"""Anchors are added one after the other by one role, and nothing takes one back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.evm import Address, Contract, Evm, Revert, interface, reverts

JOURNAL, OTHER = b"\x0a" * 32, b"\x0b" * 32
ZERO = bytes(32)
ROLE = 8
LARGEST = 2**64 - 1


def root(number: int) -> bytes:
    return number.to_bytes(32, "big")


@dataclass
class Desk:
    """The contract and who may anchor."""

    evm: Evm
    anchors: Contract
    keeper: Address

    def anchor(
        self, first: int, last: int, digest: bytes, before: bytes, journal: bytes = JOURNAL
    ) -> None:
        self.anchors.anchor(journal, first, last, digest, before, sender=self.keeper)

    def all_of(self, journal: bytes = JOURNAL) -> list[tuple[bytes, int, int]]:
        count = self.anchors.countOf(journal)
        found = (self.anchors.anchorAt(journal, index) for index in range(count))
        return [(bytes(a.root), a.lastSeq, a.time) for a in found]


@pytest.fixture
def desk() -> Desk:
    evm = Evm()
    governance, keeper = evm.account("governance"), evm.account("keeper")
    authority = evm.deploy("AccessAuthority", governance)
    anchors = evm.deploy("AuditAnchor", authority)
    selector = interface("AuditAnchor").by_name["anchor"][0].selector
    authority.setTargetFunctionRole(anchors, [selector], ROLE, sender=governance)
    authority.grantRole(ROLE, keeper, 0, sender=governance)
    return Desk(evm, anchors, keeper)


def test_anchor__one_after_the_other__all_stand_with_their_time(desk: Desk) -> None:
    """Property: J1."""
    assert desk.anchors.latestOf(JOURNAL).lastSeq == 0
    assert desk.anchors.currentJournal() == ZERO
    desk.anchor(1, 500, root(1), ZERO)
    first = desk.evm.timestamp
    desk.evm.mine(1, 86_400)
    desk.anchor(501, 501, root(2), root(1))
    assert desk.all_of() == [(root(1), 500, first), (root(2), 501, first + 86_400)]
    latest = desk.anchors.latestOf(JOURNAL)
    assert (bytes(latest.root), latest.lastSeq) == (root(2), 501)
    assert desk.anchors.currentJournal() == JOURNAL
    event = desk.evm.events("Anchored")[-1]
    assert (event["journal"], event["by"]) == (JOURNAL, desk.keeper)
    assert (event["firstSeq"], event["lastSeq"]) == (501, 501)
    assert (event["root"], event["previousRoot"]) == (root(2), root(1))


@pytest.mark.parametrize(
    ("first", "last"), [(0, 600), (1, 600), (500, 600), (502, 600), (501, 500), (501, 0)]
)
def test_anchor__range_that_does_not_follow__refused(desk: Desk, first: int, last: int) -> None:
    """Property: J1."""
    desk.anchor(1, 500, root(1), ZERO)
    before = desk.all_of()
    with reverts("NotNext", first, last, 500):
        desk.anchor(first, last, root(2), root(1))
    assert desk.all_of() == before


@pytest.mark.parametrize("before", [ZERO, root(7)])
def test_anchor__on_another_history__refused(desk: Desk, before: bytes) -> None:
    """Property: J1."""
    desk.anchor(1, 500, root(1), ZERO)
    with reverts("OtherHistory", before, root(1)):
        desk.anchor(501, 600, root(2), before)


def test_anchor__first_with_a_root_before_it_or_nothing__refused(desk: Desk) -> None:
    with reverts("OtherHistory", root(1), ZERO):
        desk.anchor(1, 500, root(2), root(1))
    with reverts("ZeroRoot"):
        desk.anchor(1, 500, ZERO, ZERO)
    with reverts("ZeroJournal"):
        desk.anchor(1, 500, root(1), ZERO, journal=ZERO)


def test_anchor__other_journal__begins_at_one_and_leaves_the_first_alone(desk: Desk) -> None:
    desk.anchor(1, 500, root(1), ZERO)
    before = desk.all_of()
    desk.anchor(1, 20, root(9), ZERO, journal=OTHER)
    assert desk.all_of() == before
    assert [(a[0], a[1]) for a in desk.all_of(OTHER)] == [(root(9), 20)]
    assert desk.anchors.currentJournal() == OTHER


def test_anchor__by_anybody_else__refused(desk: Desk) -> None:
    attacker = desk.evm.account("attacker")
    with reverts("AccessManagedUnauthorized", attacker):
        desk.anchors.anchor(JOURNAL, 1, 500, root(1), ZERO, sender=attacker)


def test_anchor__last_number_there_is__nothing_follows(desk: Desk) -> None:
    desk.anchor(1, LARGEST, root(1), ZERO)
    with reverts("Panic"):
        desk.anchor(0, 5, root(2), root(1))
    assert len(desk.all_of()) == 1


@settings(max_examples=30, deadline=None)
@given(
    calls=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 3), st.integers(0, 3)),
        max_size=12,
    )
)
def test_anchor__any_calls__only_ever_added_and_each_builds_on_the_last(
    calls: list[tuple[int, int, int, int]],
) -> None:
    """Property: J1."""
    evm = Evm()
    boss = evm.account("boss")
    anchors = evm.deploy("AuditAnchor", evm.deploy("AccessAuthority", boss))
    desk = Desk(evm, anchors, boss)
    expected: list[tuple[bytes, int]] = []
    for first, last, digest, before in calls:
        end, top = (expected[-1][1], expected[-1][0]) if expected else (0, ZERO)
        fits = digest != 0 and first == end + 1 <= last and root(before) == top
        try:
            desk.anchor(first, last, root(digest), root(before))
        except Revert:
            assert not fits
        else:
            assert fits
            expected.append((root(digest), last))
        assert [entry[:2] for entry in desk.all_of()] == expected
