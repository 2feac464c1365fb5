"""Things by name, as attributes and as keys, shown as a list at a prompt; it makes none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Names(Mapping[str, Any]):
    """A fixed set of named things for people at a prompt.

    Args:
        title: what they are.
        things: by name.
    """

    def __init__(self, title: str, things: Mapping[str, Any]) -> None:
        self._title = title
        self._things = dict(things)

    def __getitem__(self, name: str) -> Any:
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._things[name]
        except KeyError:
            raise AttributeError(f"{self._title} has no {name}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._things]

    def __repr__(self) -> str:
        if not self._things:
            return f"{self._title}: none"
        width = max(map(len, self._things))
        lines = [f"  {n:{width}}  {getattr(t, 'address', t)}" for n, t in self._things.items()]
        return "\n".join([f"{self._title}:", *lines])
