"""The one family of errors that a person sees as one line; it never carries a stack or a secret."""

from __future__ import annotations


class OffchainError(Exception):
    """Something that an operator must read. The message is one line and says what to do next."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
