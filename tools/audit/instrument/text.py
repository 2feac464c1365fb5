"""Inserts text around ranges of a source without disturbing the ranges of others; parses nothing.

Ranges come from the compiler's syntax tree, so that any two either nest or lie apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Wrap:
    """What to put before and after one range of bytes; an insertion if the range is empty."""

    start: int
    end: int
    before: str = ""
    after: str = ""


def apply(source: bytes, wraps: Iterable[Wrap]) -> bytes:
    """The source with all wraps in place; of equal ranges the later wrap lies outside."""
    ordered: Sequence[Wrap] = list(wraps)
    # At one position: what closes comes first (inner before outer), then what is inserted,
    # then what opens (outer first).
    closing: list[tuple[int, int, int, str]] = []
    opening: list[tuple[int, int, int, str]] = []
    for rank, wrap in enumerate(ordered):
        if wrap.start == wrap.end:
            opening.append((wrap.start, 0, rank, wrap.before + wrap.after))
            continue
        opening.append((wrap.start, 1, -wrap.end * len(ordered) - rank, wrap.before))
        closing.append((wrap.end, -wrap.start, rank, wrap.after))
    pieces: list[tuple[int, int, tuple[int, int], str]] = []
    pieces += [(position, 0, (a, b), text) for position, a, b, text in closing]
    pieces += [(position, 1, (a, b), text) for position, a, b, text in opening]
    pieces.sort(key=lambda piece: piece[:3])
    result = bytearray()
    last = 0
    for position, _, _, text in pieces:
        result += source[last:position] + text.encode()
        last = position
    return bytes(result + source[last:])
