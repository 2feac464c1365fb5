"""A secret, an unpinned package or a foreign licence turns the dependency gate red."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tools.audit.supply import licences, locks, secrets, vulnerabilities
from tools.audit.supply.licences import Package, Policy

# Put together here, so that this file is clean itself.
KEY = "ab12" * 16
PLANTED = {
    f'PRIVATE_KEY = "0x{KEY}"': "a raw key",
    "token: gh" + "p_" + "a1B2" * 9: "a token",
    "-----BEGIN " + "PRIVATE KEY-----": "a private key",
    "api_" + "key = 'Zk9vQ2xXb1RyU3Y3bEp4N2Q5cEhmNGd'": "a random value under a secret's name",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for command in (
        ["init", "-q"],
        ["config", "user.email", "test@example.org"],
        ["config", "user.name", "test"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def commit(repository: Path, text: str) -> None:
    (repository / "notes.txt").write_text(text)
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    subprocess.run(["git", "commit", "-qm", "change"], cwd=repository, check=True)


@pytest.mark.parametrize("line", PLANTED)
def test_secret__in_the_tree__found_and_not_shown(repository: Path, line: str) -> None:
    commit(repository, f"first\n{line}\n")
    (leak,) = secrets.in_tree(repository, frozenset())
    assert str(leak) == f"notes.txt:2: {PLANTED[line]}"
    assert secrets.in_tree(repository, frozenset([secrets.fingerprint(line)])) == []


def test_secret__committed_and_removed__found_in_history(repository: Path) -> None:
    commit(repository, f'PRIVATE_KEY = "0x{KEY}"\n')
    commit(repository, "clean\n")
    assert secrets.in_tree(repository, frozenset()) == []
    commits, (leak,) = secrets.in_history(repository, frozenset())
    assert commits == 2 and leak.kind == "a raw key"


def test_secret__plain_words_under_the_name__left_alone() -> None:
    lines = enumerate(["token = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "code_hash = '" + KEY + "'"], 1)
    assert list(secrets.in_text("x", lines, frozenset())) == []


def lock(root: Path, text: str) -> list[str]:
    folder = root / "requirements"
    folder.mkdir()
    (folder / "main.in").write_text("rich\n")
    (folder / "main.lock").write_text(text)
    return locks.python(root)[1]


def test_lock__pinned_and_hashed__passes(tmp_path: Path) -> None:
    assert lock(tmp_path, f"rich==14.0.0 \\\n    --hash=sha256:{KEY}\n") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rich==14.0.0\n", "rich has no hash"),
        (f"rich>=14 \\\n    --hash=sha256:{KEY}\n", "not pinned"),
        (f"click==8 \\\n    --hash=sha256:{KEY}\n", "rich is not in main.lock"),
    ],
)
def test_lock__loose__fails(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in line for line in lock(tmp_path, text))


def test_node_lock__no_hash_and_a_range__fails(tmp_path: Path) -> None:
    packages = {
        "": {"dependencies": {"solc": "^0.8.30"}},
        "node_modules/solc": {"version": "0.8.30"},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"solc": "^0.8.30"}}))
    said = locks.node(tmp_path)[1]
    assert len(said) == 2


POLICY = Policy(frozenset({"MIT", "BSD"}), {"peer": ("BUSL-1.1", "tests deploy it")})


@pytest.mark.parametrize(
    ("name", "licence", "allowed"),
    [
        ("a", "MIT", True),
        ("a", "MIT AND BSD", True),
        ("a", "GPL-3.0-only OR MIT", True),
        ("peer", "BUSL-1.1", True),
        ("a", "GPL-3.0-only", False),
        ("a", "MIT AND GPL-3.0-only", False),
        ("a", "", False),
        ("peer", "SSPL-1.0", False),
    ],
)
def test_licence__held_against_the_policy__judged(name: str, licence: str, allowed: bool) -> None:
    assert (licences.objections(iter([Package(name, licence)]), POLICY) == []) is allowed


def test_advisories__service_refuses__not_reachable_and_not_zero() -> None:
    assert vulnerabilities.parse('{"message": "405"}').figure == "not reachable"
    assert vulnerabilities.parse("").figure == "not reachable"
    found = vulnerabilities.parse('{"vulnerabilities": {"ws": {}, "solc": {}}}')
    assert (found.figure, found.shipped) == (2, ("solc",))
