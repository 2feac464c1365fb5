"""What signers and deployers run; on import it only sees to it that `tests` means ours.

ape puts the repository's root last on the path, where a dependency's stray package `tests` hides
the folder of that name, from which local worlds take their peers.
"""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[1])
sys.path[:] = [_ROOT, *(entry for entry in sys.path if entry != _ROOT)]
