"""Figures for Prometheus on 127.0.0.1; it never listens on any other address."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from offchain.errors import OffchainError


class MetricsError(OffchainError):
    """The figures cannot be offered."""


class Metrics:
    """What the loop knows about itself. A port of 0 keeps the figures to the process."""

    def __init__(self, port: int = 0) -> None:
        self.registry = CollectorRegistry()
        self._gauges = {
            name: Gauge(f"breakwater_{name}", text, registry=self.registry)
            for name, text in (
                ("head_block", "Last block followed"),
                ("journal_events", "Events in the journal"),
                ("halt_state", "0 active, 1 reducing, 2 halted"),
                ("chain_reachable", "Whether the nodes answer and agree"),
                ("transactions_open", "Transactions that are not final"),
                ("transactions_unknown", "Transactions whose fate is unknown"),
                ("intents_waiting", "Intents not yet packed"),
                ("batches_open", "Batches packed and not yet settled"),
            )
        }
        self._counters = {
            name: Counter(f"breakwater_{name}", text, registry=self.registry)
            for name, text in (
                ("blocks", "Blocks followed"),
                ("logs", "Logs journalled"),
                ("retracted_blocks", "Blocks that fell to a reorg"),
                ("outages", "Times the nodes stopped answering"),
                ("job_calls", "Calls that jobs asked for"),
            )
        }
        self._server = None
        if port:
            try:
                self._server, self._thread = start_http_server(
                    port, addr="127.0.0.1", registry=self.registry
                )
            except OSError as error:
                raise MetricsError(
                    f"metrics port {port} cannot be used: {error.strerror or error}"
                ) from None

    def set(self, **figures: int) -> None:
        """Sets gauges by name."""
        for name, value in figures.items():
            self._gauges[name].set(value)

    def count(self, **figures: int) -> None:
        """Raises counters by name."""
        for name, value in figures.items():
            self._counters[name].inc(value)

    def read(self) -> Mapping[str, float]:
        """Every figure by name, as a scrape would see it."""
        return {
            sample.name: sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if not sample.name.endswith("_created")
        }

    def close(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
