"""A registry of investors alone, for tests of its bounds; expects nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.evm import Address, Contract, Evm
from tests.support.flows import CREDENTIAL, packed, sign_typed

GERMANY, FRANCE = 276, 250
NONE, DENIED, FROZEN = range(3)
REASON, OTHER = b"court order 12".ljust(32, b"\0"), b"letter".ljust(32, b"\0")
NO_REASON = bytes(32)
NOBODY = "0x" + "00" * 20
UNIT = 10**18
DAY = 86_400


@dataclass
class Office:
    """A registry whose governance holds every role."""

    evm: Evm
    registry: Contract
    boss: Address
    provider: Address

    @classmethod
    def open(cls) -> Office:
        evm = Evm()
        boss, provider = evm.account("governance"), evm.account("provider")
        registry = evm.deploy("InvestorRegistry", evm.deploy("AccessAuthority", boss))
        registry.addProvider(provider, sender=boss)
        return cls(evm, registry, boss, provider)

    def act(self, name: str, *args: Any) -> None:
        getattr(self.registry, name)(*args, sender=self.boss)

    def submit(
        self,
        investor: str,
        tier: int = 2,
        jurisdiction: int = GERMANY,
        seconds: int = DAY,
        serial: int = 1,
    ) -> tuple[Any, ...]:
        """A credential that its provider signed, valid for so many seconds from now."""
        fields = (investor, tier, jurisdiction, self.evm.timestamp + seconds, serial)
        names = [field["name"] for field in CREDENTIAL]
        message = dict(zip(names, fields, strict=True))
        domain = ("Breakwater InvestorRegistry", self.registry, "Credential")
        signature = packed(sign_typed(self.provider, *domain, CREDENTIAL, message))
        courier = self.evm.account("courier")
        self.registry.submitCredential(fields, self.provider, signature, sender=courier)
        return fields

    def admitted(self, label: str) -> Address:
        account = self.evm.account(label)
        self.submit(account)
        return account

    def said(self, name: str) -> tuple[Any, ...]:
        """Arguments of the only event of that name in the last call."""
        (event,) = self.evm.events(name)
        return tuple(bytes(v) if isinstance(v, bytes) else v for v in event.args.values())
