"""Reads JSON that somebody else may have written, never deeper than asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

DEEPEST = 32
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def loads(
    text: str,
    *,
    deepest: int = DEEPEST,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """As `json.loads`, but a text nested more than `deepest` levels is refused.

    Where an import raised the recursion limit (ape's compilers do), the parser would answer a
    deeply nested text not with an exception but with a crash.

    Raises:
        ValueError: the text is no JSON, or nested too deeply.
    """
    depth = 0
    for token in _TOKENS.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth > deepest:
                raise ValueError(f"nested more than {deepest} deep")
        elif first in "]}":
            depth -= 1
    return json.loads(text, object_pairs_hook=object_pairs_hook)
