"""`make bench`: measures pool, capital and safety plane; it judges only what is promised."""

from __future__ import annotations

import sys
import time

from tests.bench import amm, capital, safety
from tools import report


def main() -> int:
    """Measures, writes reports/bench.json, prints; the status is 0 only if every promise held."""
    started = time.monotonic()
    print("bench: gas, attack search, cost of moving the average; some minutes", flush=True)
    figures: dict[str, report.Figure] = dict(amm.measure())
    figures |= capital.measure()
    figures |= safety.measure()
    figures["seconds"] = round(time.monotonic() - started, 1)
    promises = amm.promises(figures) | capital.promises(figures) | safety.promises(figures)
    return report.write("bench", figures, promises)


if __name__ == "__main__":
    sys.exit(main())
