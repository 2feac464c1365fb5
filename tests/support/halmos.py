"""Runs halmos on one proof contract and reads its verdicts; proves nothing itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support import build

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
VERDICT = re.compile(r"\[(PASS|FAIL|TIMEOUT|ERROR)\]\s+(\w+)\(")

# halmos 0.3.3 empties rich's stack of live displays, which newer versions of rich refuse when it
# is empty already.
LAUNCHER = """
import sys
from rich.console import Console
clear = Console.clear_live
Console.clear_live = lambda self: clear(self) if self._live_stack else None
from halmos.__main__ import main
sys.exit(main())
"""


def prove(
    folder: str, contract: str, function: str = "check_", timeout: int = 60
) -> dict[str, str]:
    """Verdict (PASS, FAIL, TIMEOUT or ERROR) by function of a proof contract.

    Args:
        folder: of the proof contract, below the repository's root; forge compiles only this folder.
        contract: its name.
        function: prefix of the functions to prove.
        timeout: seconds that the solver may take for one assertion.
    """
    out = f".cache/forge/{Path(folder).name}"
    environment = {
        **build.environment(),
        **{f"FOUNDRY_{name}": folder for name in ("SRC", "TEST", "SCRIPT")},
        "FOUNDRY_OUT": out,
        "FOUNDRY_CACHE_PATH": f"{out}-cache",
        "FOUNDRY_LINT_LINT_ON_BUILD": "false",
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-c", LAUNCHER, "--no-status", "--contract", contract]
    command += ["--forge-build-out", out, "--function", function, "--solver-threads", "1"]
    command += ["--solver-timeout-assertion", f"{timeout}s", "--loop", "16"]
    done = subprocess.run(
        command, cwd=build.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    verdicts = {name: verdict for verdict, name in VERDICT.findall(COLOUR.sub("", done.stdout))}
    if not verdicts:
        raise RuntimeError(f"halmos gave no verdict:\n{(done.stdout + done.stderr)[-3000:]}")
    return verdicts


if __name__ == "__main__":
    for name, verdict in prove(*sys.argv[1:3], *sys.argv[3:4]).items():
        print(verdict, name)
