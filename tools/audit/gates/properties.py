"""Gate: every property has a test that was seen to fail when it must; writes the catalogue."""

from __future__ import annotations

from pathlib import Path

from tools.audit import properties
from tools.audit.gate import Budget, GateError, GateResult

TITLE = "Properties, and the tests that can fail for each"
PROVES = (
    "Each property is named by a test, and a negative control or a killed mutant shows that a test "
    "of it can fail; no test names a property that nobody stated."
)
DOES_NOT = "That the sentences are all that matters, or that a test checks all of its sentence."


def run(_budget: Budget, root: Path = properties.ROOT) -> GateResult:
    """Judges the catalogue and writes audits/properties.md."""
    try:
        catalogue = properties.load(root, properties.kills(root))
    except properties.CatalogueError as error:
        raise GateError(str(error)) from error
    (root / properties.DOCUMENT).write_text(properties.render(catalogue), encoding="utf-8")
    untested = catalogue.untested
    return GateResult(
        figures={
            "properties": len(catalogue.rows),
            "properties_untested": len(untested),
            "properties_not_run": sum(row.result == "not run" for row in catalogue.rows),
        },
        promises={"properties_untested": not untested},
        failures=catalogue.failures,
        notes=tuple(f"{row.name}: {row.sentence}" for row in catalogue.rows),
    )
