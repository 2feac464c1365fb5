"""The licence of every package that is installed, held against what the project allows."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import Distribution, MetadataPathFinder
from pathlib import Path

from tools.audit.gate import GateError

# What metadata says, in the words of SPDX.
WORDS = {
    "mit license": "MIT",
    "the mit license (mit)": "MIT",
    "bsd license": "BSD",
    "apache software license": "Apache-2.0",
    "bsd 3-clause": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "isc license (iscl)": "ISC",
    "python software foundation license": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "public domain": "Unlicense",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "gnu general public license": "GPL",
    "gplv3": "GPL-3.0-only",
}


@dataclass(frozen=True)
class Package:
    """One installed package and the licence that it names, '' if it names none."""

    name: str
    licence: str


@dataclass(frozen=True)
class Policy:
    """Licences that any package may have, and packages that may have another, with the reason."""

    allowed: frozenset[str]
    excepted: Mapping[str, tuple[str, str]]


def policy(path: Path) -> Policy:
    """Reads the policy.

    Raises:
        GateError: it is missing or not of the form that it must have.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        excepted = {p["name"]: (p["licence"], p["reason"]) for p in content.get("package", [])}
        return Policy(frozenset(content["allowed"]), excepted)
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise GateError(f"{path.name}: {error}") from error


def python(environment: Path) -> Iterator[Package]:
    """Packages of a virtual environment."""
    for folder in sorted(environment.glob("lib/python3*/site-packages")):
        for found in MetadataPathFinder().find_distributions(_at(folder)):
            yield Package(found.metadata["Name"].lower().replace("_", "-"), _stated(found))


def _at(folder: Path) -> MetadataPathFinder.Context:
    return MetadataPathFinder.Context(path=[str(folder)])


def _stated(found: Distribution) -> str:
    metadata: Message = found.metadata  # type: ignore[assignment]
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        c.split("::")[-1].strip()
        for c in metadata.get_all("Classifier") or []
        if c.startswith("License ::")
        and c.split("::")[-1].strip() not in ("OSI Approved", "DFSG approved")
    ]
    if classifiers:
        return " OR ".join(_spdx(c) for c in classifiers)
    lines = str(metadata.get("License") or "").strip().splitlines()
    return _spdx(lines[0].strip()) if lines else ""


def node(root: Path) -> Iterator[Package]:
    """Packages that package-lock.json lists; those of other platforms are not installed."""
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    for place, entry in lock["packages"].items():
        if not place:
            continue
        licence = entry.get("license", "")
        manifest = root / place / "package.json"
        if not licence and manifest.exists():
            content = json.loads(manifest.read_text(encoding="utf-8"))
            old = content.get("licenses") or [{}]
            licence = content.get("license") or old[0].get("type", "")
        yield Package(place.removeprefix("node_modules/"), str(licence or ""))


def objections(packages: Iterator[Package], rules: Policy) -> list[str]:
    """Packages whose licence is unknown or neither allowed nor excepted."""
    said = []
    for one in packages:
        excepted = rules.excepted.get(one.name)
        if excepted is not None:
            if one.licence and excepted[0] != one.licence:
                said.append(f"{one.name}: excepted for {excepted[0]}, but states {one.licence}")
            elif not excepted[1].strip():
                said.append(f"{one.name}: the exception has no reason")
            continue
        if not one.licence:
            said.append(f"{one.name}: states no licence")
        elif not _permitted(one.licence, rules.allowed):
            said.append(f"{one.name}: {one.licence} is not allowed")
    return said


def _permitted(expression: str, allowed: frozenset[str]) -> bool:
    """Any of the alternatives, and of it every part."""
    plain = expression.replace("(", " ").replace(")", " ")
    alternatives = re.split(r"\s+OR\s+", plain)
    return any(
        all(part.strip() in allowed for part in re.split(r"\s+AND\s+", alternative))
        for alternative in alternatives
    )


def _spdx(text: str) -> str:
    return WORDS.get(text.lower(), text)
