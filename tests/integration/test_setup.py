"""A machine that lacks something is told so in one line, before anything is fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from offchain.artifacts import ROOT

BASICS = ["bash", "cat", "cut", "dirname", "sha256sum", "mkdir", "rm", "flock", "uname", "env"]


class Machine:
    """A clone with nothing installed, and a PATH that holds only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self.path = folder / "bin"
        self.path.mkdir()
        for name in ("tools/setup.sh", "tools/solc.js", "package-lock.json"):
            self._copy(name)
        for lock in (ROOT / "requirements").glob("*.lock"):
            self._copy(f"requirements/{lock.name}")
        for name in BASICS:
            if found := shutil.which(name):
                (self.path / name).symlink_to(found)

    def _copy(self, name: str) -> None:
        target = self.clone / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)

    def program(self, name: str, script: str) -> None:
        """Puts a shell script on the PATH."""
        target = self.path / name
        target.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        target.chmod(0o755)

    def setup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the set-up as a user would."""
        return subprocess.run(
            [str(self.clone / "tools" / "setup.sh"), *arguments],
            env={"PATH": str(self.path), "HOME": os.environ.get("HOME", "/")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def refuses(self, expected: str, *arguments: str) -> None:
        """The set-up ends with exactly this line, and installed nothing."""
        done = self.setup(*arguments)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr == f"setup: {expected}\n"
        assert not (self.clone / ".venv").exists()
        assert not (self.clone / ".tools").exists()
        assert not (self.clone / "node_modules").exists()


WORKING_NODE = 'case "$1" in --version) echo v20.1.0;; *) exit 0;; esac'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_setup__no_python__one_line(machine: Machine) -> None:
    machine.refuses("Python 3.11 is needed and was not found; PYTHON=/path/to/python3.11 names one")


def test_setup__other_python__one_line_names_it(machine: Machine) -> None:
    machine.program("python3", 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    machine.refuses(
        "Python 3.11 is needed and was not found (python3 is Python 3.9.2); "
        "PYTHON=/path/to/python3.11 names one"
    )


def test_setup__python_without_venv__one_line(machine: Machine) -> None:
    machine.program("python3.11", 'case "$2" in *venv*) exit 1;; *) exit 0;; esac')
    machine.refuses(
        "Python 3.11 lacks the venv module (on Debian: apt-get install python3.11-venv)"
    )


def test_setup__no_node__one_line(machine: Machine) -> None:
    machine.program("python3.11", "exit 0")
    machine.refuses("Node 20 or newer is needed and was not found")


def test_setup__old_node__one_line_names_it(machine: Machine) -> None:
    machine.program("python3.11", "exit 0")
    machine.program("node", 'case "$1" in --version) echo v18.19.0;; *) exit 1;; esac')
    machine.refuses("Node 20 or newer is needed, this is v18.19.0")


def test_setup__no_npm__one_line(machine: Machine) -> None:
    machine.program("python3.11", "exit 0")
    machine.program("node", WORKING_NODE)
    machine.refuses("npm is needed and was not found (it comes with Node)")


def test_setup__unknown_environment__one_line(machine: Machine) -> None:
    machine.refuses("unknown environment 'conda' (known: mythril)", "conda")


def test_setup__linked_environment_out_of_date__left_alone(machine: Machine) -> None:
    machine.program("python3.11", "exit 0")
    machine.program("node", WORKING_NODE)
    machine.program("npm", "exit 0")
    shared = machine.clone.parent / "shared"
    shared.mkdir()
    links = [machine.clone / ".venv", machine.clone / "node_modules"]
    for link in links:
        link.symlink_to(shared)
    done = machine.setup()
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"setup: {link.name} is a link and out of date: run tools/setup.sh where it points to"
        for link in links
    ]
    assert all(link.is_symlink() for link in links)
    assert not list(shared.iterdir())


def test_setup__everything_there__silent_and_quick() -> None:
    done = subprocess.run(
        [str(ROOT / "tools" / "setup.sh")], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_make__too_old__one_line() -> None:
    done = subprocess.run(
        ["make", "MAKE_VERSION=3.81", "help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "GNU make 4.0 or newer is needed, this is 3.81" in done.stderr


def test_make__help__lists_every_target() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert {"setup", "build", "lint", "test", "demo", "up", "console", "clean", "help"} <= listed


def test_env__sourced_from_elsewhere_twice__tools_are_found_once(tmp_path: Path) -> None:
    script = (
        f'source "{ROOT}/tools/env.sh"; source "{ROOT}/tools/env.sh"; command -v ape; echo $PATH'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    ape, path = done.stdout.split()
    assert ape == f"{ROOT}/.venv/bin/ape"
    assert path.split(":").count(f"{ROOT}/.venv/bin") == 1


def test_env__fresh_clone__ape_starts_without_a_word(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "env.sh", clone / "tools")
    shutil.copy(ROOT / "ape-config.yaml", clone)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    done = subprocess.run(
        ["bash", "-c", "source tools/env.sh && ape accounts list"],
        cwd=clone,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "No accounts found" in done.stdout + done.stderr
