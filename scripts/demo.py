"""`make demo` and `make up`: an institutional day on a local chain; it never touches a real one.

python -m scripts.demo          the day and its figures; status 0 only if every promise held
python -m scripts.demo --stay   the same world, left running with the orchestrator
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from offchain.artifacts import ArtifactError
from offchain.chain.transport import ChainUnreachable
from offchain.errors import OffchainError
from scripts._demo.day import promises, run
from scripts._demo.errors import DemoError
from scripts._demo.stay import stay
from tests.peers.npm import PeerError
from tests.support.anvil import AnvilError
from tools import report

EXPECTED = (OffchainError, ChainUnreachable, ArtifactError, AnvilError, PeerError, DemoError)


@click.command()
@click.option("--stay", "staying", is_flag=True, help="Leave the world running until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Of the chain. [any; 8545 with --stay]"
)
def cli(staying: bool, port: int | None) -> None:
    """An institutional day on a local chain."""
    console = Console(highlight=False, soft_wrap=True)

    def act(title: str) -> None:
        console.print(f"[bold]{title}[/]")

    def say(line: str) -> None:
        console.print(f"  {line}", markup=False)

    try:
        if staying:
            stay(act, say, 8545 if port is None else port)
            return
        with tempfile.TemporaryDirectory() as folder:
            figures = run(Path(folder), act, say, port or 0)
    except EXPECTED as error:
        click.echo(f"demo: {str(error).splitlines()[0]}", err=True)
        sys.exit(1)
    sys.exit(report.write("demo", figures, promises(figures), console=console))


if __name__ == "__main__":
    cli()
