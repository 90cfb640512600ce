"""What a spool did, for Prometheus: a text file that a node exporter picks up.

Counters begin at nought with the process, as the format expects. This module refuses to name a
dump: a metric is a number.
"""

from dataclasses import dataclass
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Summary,
    disable_created_metrics,
    write_to_textfile,
)

from scanner.model import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The metrics of one process."""

    registry: CollectorRegistry
    dumps: Counter
    size: Counter
    seconds: Summary
    failures: Counter
    waiting: Gauge
    turned: Gauge


def make() -> Metrics:
    """Return metrics in which nothing has happened, each verdict counted from nought."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # when a counter began says nothing here
    registry = CollectorRegistry()
    made = Metrics(
        registry=registry,
        dumps=Counter("keysift_spool_dumps", "Dumps filed away.", ("verdict",), registry=registry),
        size=Counter("keysift_spool_bytes", "Bytes of dumps filed away.", registry=registry),
        seconds=Summary("keysift_spool_scan_seconds", "Time per dump.", registry=registry),
        failures=Counter(
            "keysift_spool_failures",
            "Dumps that could not be filed away and are tried again.",
            registry=registry,
        ),
        waiting=Gauge("keysift_spool_waiting", "Dumps not filed away yet.", registry=registry),
        turned=Gauge(
            "keysift_spool_turn_timestamp_seconds",
            "When the folder was last looked through.",
            registry=registry,
        ),
    )
    for verdict in Verdict:
        made.dumps.labels(str(verdict))
    return made


def save(metrics: Metrics, path: Path) -> None:
    """Write the metrics to a file that takes its name at once. Raises OSError."""
    write_to_textfile(str(path), metrics.registry)
