"""The part of Safe 1.4.1 that we call, and what tells the real one; no addresses of ours."""

from __future__ import annotations

from typing import Any

VERSION = "1.4.1"
SENTINEL = "0x0000000000000000000000000000000000000001"
SINGLETON_SLOT = 0
# keccak256("guard_manager.guard.address")
GUARD_SLOT = 0x4A204F620C8C5CCDCA3FD54D003BADD85BA500436A431F0CBDA4F558C93C34C8

# MultiSendCallOnly 1.4.1 at the address that it has on every chain where Safe deployed it.
MULTI_SEND_CALL_ONLY = "0x9641d764fc13c8B624c04430C7356C1C7C8102e2"

# Runtime code hashes of the canonical 1.4.1 contracts, none of which has an immutable
# (safe-global/safe-deployments, src/assets/v1.4.1).
SINGLETON_CODE_HASHES = (
    bytes.fromhex("1fe2df852ba3299d6534ef416eefa406e56ced995bca886ab7a553e6d0c5e1c4"),
    bytes.fromhex("b1f926978a0f44a2c0ec8fe822418ae969bd8c3f18d61e5103100339894f81ff"),
)
MULTI_SEND_CODE_HASH = bytes.fromhex(
    "ecd5bd14a08c5d2122379900b2f272bdf107a7e92423c10dd5fe3254386c9939"
)


def _entry(name: str, inputs: str, outputs: str = "", view: bool = False) -> dict[str, Any]:
    def parameters(text: str) -> list[dict[str, str]]:
        pairs = [part.split() for part in text.split(",") if part.strip()]
        return [{"type": pair[0], "name": pair[1] if len(pair) > 1 else ""} for pair in pairs]

    return {
        "type": "function",
        "name": name,
        "inputs": parameters(inputs),
        "outputs": parameters(outputs),
        "stateMutability": "view" if view else "nonpayable",
    }


_TX = (
    "address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,"
    "uint256 gasPrice,address gasToken,address refundReceiver"
)

SAFE_ABI: list[dict[str, Any]] = [
    _entry("VERSION", "", "string", view=True),
    _entry("nonce", "", "uint256", view=True),
    _entry("getOwners", "", "address[]", view=True),
    _entry("getThreshold", "", "uint256", view=True),
    _entry(
        "getModulesPaginated",
        "address start,uint256 pageSize",
        "address[] array,address next",
        view=True,
    ),
    _entry("getTransactionHash", f"{_TX},uint256 nonce", "bytes32", view=True),
    {**_entry("execTransaction", f"{_TX},bytes signatures", "bool"), "stateMutability": "payable"},
    _entry("addOwnerWithThreshold", "address owner,uint256 threshold"),
    _entry("removeOwner", "address prevOwner,address owner,uint256 threshold"),
    _entry("swapOwner", "address prevOwner,address oldOwner,address newOwner"),
    _entry("changeThreshold", "uint256 threshold"),
    _entry("enableModule", "address module"),
    _entry("disableModule", "address prevModule,address module"),
    _entry("setGuard", "address guard"),
    _entry("setFallbackHandler", "address handler"),
    {
        "type": "event",
        "name": "ExecutionSuccess",
        "anonymous": False,
        "inputs": [
            {"name": "txHash", "type": "bytes32", "indexed": True},
            {"name": "payment", "type": "uint256", "indexed": False},
        ],
    },
]
