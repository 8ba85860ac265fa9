"""A writer's figures at one moment, read from its ``/status`` and ``/metrics``."""

from collections import deque
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, dict[str, str], float]
_RATE_OVER_S = 1.5


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
    holds: int
    """Requests that found the vendor unavailable."""
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
    samples: list[Sample] = [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
    ]
    return Figures(
        receipts=sum(_by(samples, "sluice_publish_to_receipt_seconds_count", "destination").values()),
        by_code=_by(samples, "sluice_outcomes_total", "code", fate=("delivered", "skipped")),
        dead_letters=sum(_by(samples, "sluice_dead_letters_total", "error_class").values()),
        windows=_by(samples, "sluice_window_items_count", "reason"),
        windowed=_by(samples, "sluice_window_items_sum", "reason"),
        holds=sum(_by(samples, "sluice_holds_total", "reason").values()),
        in_flight=status["requests_in_flight"],
        max_in_flight=status["concurrency_limit"],
        buffered=status["buffered_items"],
        failures=status["failures_in_a_row"],
        held_for_s=status["held_for_s"],
    )


class Rate:
    """Receipts per second over the last ``_RATE_OVER_S`` seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def after(self, now_s: float, receipts: int) -> float:
        """Add that ``receipts`` were counted by ``now_s``, and return the rate."""
        self._seen.append((now_s, receipts))
        while now_s - self._seen[0][0] > _RATE_OVER_S:
            self._seen.popleft()
        since_s, before = self._seen[0]
        return (receipts - before) / (now_s - since_s) if now_s > since_s else 0.0


def _by(samples: list[Sample], name: str, label: str, **wanted: tuple[str, ...]) -> dict[str, int]:
    """Sum the metric ``name`` by one of its labels, over samples whose other labels have one of the wanted values."""
    counts: dict[str, int] = {}
    for sample, labels, value in samples:
        if sample == name and all(labels[other] in values for other, values in wanted.items()):
            counts[labels[label]] = counts.get(labels[label], 0) + int(value)
    return counts
