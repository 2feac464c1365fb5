"""When the orchestrator may act, and how it stops; it only ever tightens by itself."""
