"""Proves that the two multisigs are what a deployment was promised; it signs and sends nothing."""

from __future__ import annotations

from eth_utils.crypto import keccak

from offchain.chain.client import ChainClient
from scripts._deployment.errors import DeployError
from scripts._deployment.parameters import Parameters
from scripts._safe import SafeAccount
from scripts._safe.abi import MULTI_SEND_CODE_HASH, VERSION
from scripts._safe.transaction import ZERO_ADDRESS


def check_safes(client: ChainClient, parameters: Parameters) -> SafeAccount:
    """Proves on chain that both Safes are what the parameters say; returns the governance Safe.

    Raises:
        SafeError: if an address is no Safe 1.4.1.
        DeployError: if a Safe asks for fewer signatures, has fewer owners, or can be moved or
            stopped by something that is no owner.
    """
    safes = parameters.safes
    if keccak(client.code(safes.multi_send)) != MULTI_SEND_CODE_HASH:
        raise DeployError(f"{safes.multi_send} is not MultiSendCallOnly {VERSION}")
    accounts = {}
    for role in ("governance", "guardian"):
        account = SafeAccount(client, getattr(safes, role), safes.multi_send)
        state = account.state()
        threshold, owners = getattr(safes, f"{role}_threshold"), getattr(safes, f"{role}_owners")
        if state.threshold < threshold:
            raise DeployError(
                f"the {role} Safe asks for {state.threshold} signatures, not {threshold}"
            )
        if len(state.owners) < owners:
            raise DeployError(f"the {role} Safe has {len(state.owners)} owners, not {owners}")
        if state.modules:
            raise DeployError(
                f"the {role} Safe has a module, {state.modules[0]}: it moves without owners"
            )
        if state.guard != ZERO_ADDRESS:
            raise DeployError(f"the {role} Safe has a guard, {state.guard}: it can be stopped")
        accounts[role] = account
    return accounts["governance"]
