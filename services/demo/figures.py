"""A writer's figures at one moment, read from its ``/status`` and ``/metrics``."""

from collections import Counter
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Figures(NamedTuple):
    """A writer's figures at one moment."""

    receipts: int
    by_code: dict[str, int]
    """Receipts of delivered and skipped records, by the vendor's code."""
    dead_letters: int
    windows: dict[str, int]
    """Closed windows, by the reason why they closed."""
    windowed: dict[str, int]
    """Records in closed windows, by the same reason."""
    in_flight: int
    max_in_flight: int
    buffered: int
    failures: int
    """Requests in a row that found the vendor unavailable; 0 when it is well."""
    held_for_s: float

    @property
    def is_holding(self) -> bool:
        """True while delivery waits for the vendor to come back."""
        return self.failures > 0


async def read_figures(http: httpx.AsyncClient) -> Figures:
    """Read the writer's figures. Raises ``httpx.HTTPError``."""
    status: dict[str, Any] = (await http.get("/status")).json()
    metrics = (await http.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(metrics) for sample in family.samples]
    not_dead = [sample for sample in samples if sample.labels.get("fate") in ("delivered", "skipped")]
    return Figures(
        receipts=_by(samples, "sluice_publish_to_receipt_seconds_count", "destination").total(),
        by_code=_by(not_dead, "sluice_outcomes_total", "code"),
        dead_letters=_by(samples, "sluice_dead_letters_total", "error_class").total(),
        windows=_by(samples, "sluice_window_items_count", "reason"),
        windowed=_by(samples, "sluice_window_items_sum", "reason"),
        in_flight=status["requests_in_flight"],
        max_in_flight=status["concurrency_limit"],
        buffered=status["buffered_items"],
        failures=status["failures_in_a_row"],
        held_for_s=status["held_for_s"],
    )


def _by(samples: list[Sample], name: str, label: str) -> Counter[str]:
    """Sum the metric ``name`` by one of its labels."""
    counts: Counter[str] = Counter()
    for sample in samples:
        if sample.name == name:
            counts[sample.labels[label]] += int(sample.value)
    return counts
