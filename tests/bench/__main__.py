"""`make bench`: measures pool and capital beside their peers; it judges only what is promised."""

from __future__ import annotations

import sys
import time

from tests.bench import amm, day
from tools import report


def main() -> int:
    """Measures, writes reports/bench.json, prints; the status is 0 only if every promise held."""
    started = time.monotonic()
    print("bench: gas, attack search, cost of moving the average; some minutes", flush=True)
    figures: dict[str, report.Figure] = dict(amm.measure())
    figures |= day.measure()
    figures["seconds"] = round(time.monotonic() - started, 1)
    return report.write("bench", figures, amm.promises(figures))


if __name__ == "__main__":
    sys.exit(main())
