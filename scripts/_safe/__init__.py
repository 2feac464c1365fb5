"""Builds, explains, signs and executes Safe 1.4.1 transactions; keeps no keys, asks no service.

Everything a signer must trust is read from the chain (owners, threshold, nonce) or computed here
and compared with the chain (the hash). Used by the deployment, multisig and emergency scripts, the
demo and the tests.
"""

from scripts._safe.account import SafeAccount, SafeState
from scripts._safe.describe import AddressBook, Description, describe
from scripts._safe.errors import SafeError
from scripts._safe.proposal import Proposal
from scripts._safe.signatures import HashSigner, TypedDataSigner, pack, sign, sign_all
from scripts._safe.transaction import Call, Operation, SafeTx

__all__ = [
    "AddressBook",
    "Call",
    "Description",
    "HashSigner",
    "Operation",
    "Proposal",
    "SafeAccount",
    "SafeError",
    "SafeState",
    "SafeTx",
    "TypedDataSigner",
    "describe",
    "pack",
    "sign",
    "sign_all",
]
