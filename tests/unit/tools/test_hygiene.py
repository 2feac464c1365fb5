"""What must never be committed is found; what only looks like it is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import hygiene

# Put together here, so that this file passes its own check.
HOME = "/ho" + "me/"
SECRET = "ab" * 32
BAD = {
    f"path = '{HOME}someone/breakwater'": "a path of a developer's machine",
    "see /Us" + "ers/Someone/code": "a path of a developer's machine",
    "--index-" + "url https://example.org/": "a package index",
    "https://registry.npm" + "js.org/solc": "a package registry's host",
    "-----BEGIN " + "EC PRIVATE KEY-----": "a private key",
    "AKIA" + "ABCDEFGHIJKLMNOP": "a private key",
    f'private_key = "0x{SECRET}"': "a raw key",
    f"API_KEY={SECRET}": "a raw key",
    "ghp_" + "a1" * 18: "a token",
    "https://user:" + "pass@node.example.org": "an address with a password",
}
GOOD = [
    f'code_hash = "0x{SECRET}"',
    "https://eips.ethereum.org/EIPS/eip-4626",
    "http://127.0.0.1:8545",
    "a path like /usr/bin/env or ./home/x is fine",
    f"{HOME}someone is told on purpose  # hygiene: allow, an example",
]


@pytest.mark.parametrize("line", BAD)
def test_scan__forbidden_line__found_with_its_place(line: str) -> None:
    (finding,) = hygiene.scan("a.txt", f"first\n{line}\n")
    assert str(finding) == f"a.txt:2: {BAD[line]}"


@pytest.mark.parametrize("line", GOOD)
def test_scan__harmless_line__passes(line: str) -> None:
    assert list(hygiene.scan("a.txt", line)) == []


def test_check__binary_missing_and_text__only_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(f"{HOME}someone/x")
    (tmp_path / "binary").write_bytes(f"\0{HOME}someone/x".encode())
    findings = hygiene.check(tmp_path, ["text", "binary", "gone"])
    assert [f.path for f in findings] == ["text"]


def test_repository__all_files__clean() -> None:
    assert hygiene.check(hygiene.ROOT, hygiene.tracked(hygiene.ROOT)) == []


@pytest.mark.parametrize("name", ["package-lock.json", "requirements/main.lock"])
def test_scan__address_in_a_lock_file__found(name: str) -> None:
    line = '    "url": "https://example.org/donate"\n'
    assert [finding.what for finding in hygiene.scan(name, line)] == ["an address in a lock file"]
    assert list(hygiene.scan("docs/page.md", line)) == []


@pytest.mark.parametrize("line", ["require(tx.origin == owner);", "let who := origin()"])
def test_scan__contract_looks_at_who_signed__found_and_cannot_be_allowed(line: str) -> None:
    for name in ("contracts/amm/Pool.sol", "contracts/safety/Gate.vy"):
        findings = hygiene.scan(name, f"{line} // hygiene: allow, no")
        assert [finding.what for finding in findings] == ["a contract that looks at who signed"]
    assert list(hygiene.scan("tests/Lure.sol", line)) == []
