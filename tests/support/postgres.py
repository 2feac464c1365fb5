"""Starts a throw-away PostgreSQL server for tests, as an unprivileged user, on a socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

SEARCH = [Path("/usr/local/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl, or None if this machine has no PostgreSQL."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else []
    for folder in [*folders, *SEARCH]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder.resolve()
    return None


class Postgres:
    """One server in a temporary folder; gone when the context ends."""

    def __init__(self, folder: Path) -> None:
        self._bin = folder
        # NOTE: the server refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        self._home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._data = self._home / "data"
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(self._home, entry.pw_uid, entry.pw_gid)
        self._started = False

    def __enter__(self) -> Postgres:
        self._run("initdb", "-D", self._data, "-U", "breakwater", "-A", "trust", "-E", "UTF8", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._home}' -c fsync=off"
        log = self._home / "log"
        self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "-o", options, "start")
        self._started = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._started:
            self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Address of a database of this server."""
        return f"postgresql://breakwater@/{database}?host={self._home}"

    def _run(self, program: str, *arguments: object) -> None:
        result = subprocess.run(
            [str(self._bin / program), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self._home,
            user=self._user,
            text=True,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"{program} failed: {result.stderr.strip()}")
