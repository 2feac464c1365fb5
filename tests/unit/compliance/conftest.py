"""A registry alone, two investors with credentials, and two without."""

from __future__ import annotations

import pytest

from tests.support.evm import Address
from tests.unit.compliance.office import Office


@pytest.fixture
def office() -> Office:
    return Office.open()


@pytest.fixture
def alice(office: Office) -> Address:
    return office.admitted("alice")


@pytest.fixture
def bob(office: Office) -> Address:
    return office.admitted("bob")


@pytest.fixture
def stranger(office: Office) -> Address:
    return office.evm.account("stranger")


@pytest.fixture
def conduit(office: Office) -> Address:
    account = office.evm.account("conduit")
    office.act("setConduit", account, True)
    return account
