"""The one error of a deployment; its message is the line that the operator reads."""

from __future__ import annotations

from offchain.errors import OffchainError


class DeployError(OffchainError):
    """The deployment cannot start, cannot go on, or did not end as promised."""
