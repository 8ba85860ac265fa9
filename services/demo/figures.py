"""A writer's figures at one moment, read from its ``/status`` and ``/metrics``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class VendorJob(NamedTuple):
    """A batch that the vendor runs as a job of its own."""

    word: str
    """The vendor's word for its state; ours as long as it has not said one."""
    records: int
    """Records without a receipt."""


class Figures(NamedTuple):
    """A writer's figures at one moment, or those of several together."""

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
    waiting_for_their_key: int = 0
    """Records that wait until an earlier one of their key is settled."""
    vendor_jobs: dict[str, VendorJob] | None = None
    """By batch id; ``None`` where the vendor runs none."""

    @property
    def at_vendor(self) -> int:
        """Records in vendor jobs."""
        return sum(job.records for job in (self.vendor_jobs or {}).values())

    @property
    def is_holding(self) -> bool:
        """True while delivery waits for the vendor to come back."""
        return self.failures > 0


async def read_figures(http: httpx.AsyncClient, url: str) -> Figures:
    """Read the figures of the writer at ``url``. Raises ``httpx.HTTPError``."""
    status: dict[str, Any] = (await http.get(f"{url}/status")).json()
    metrics = (await http.get(f"{url}/metrics")).text
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
        waiting_for_their_key=status["waiting_for_their_key"],
        vendor_jobs=_vendor_jobs(status["vendor_jobs"]) if "vendor_jobs" in status else None,
    )


def sum_of(writers: Sequence[Figures]) -> Figures:
    """Return the figures of several writers together; a batch at several of them is one."""
    jobs: dict[str, VendorJob] = {}
    for batch_id, job in (pair for one in writers for pair in (one.vendor_jobs or {}).items()):
        # A batch whose lanes are at several writers is a job of each of them.
        known = jobs.get(batch_id, VendorJob(job.word, 0))
        jobs[batch_id] = VendorJob(known.word, known.records + job.records)
    return Figures(
        receipts=sum(one.receipts for one in writers),
        by_code=_sum(one.by_code for one in writers),
        dead_letters=sum(one.dead_letters for one in writers),
        windows=_sum(one.windows for one in writers),
        windowed=_sum(one.windowed for one in writers),
        in_flight=sum(one.in_flight for one in writers),
        max_in_flight=sum(one.max_in_flight for one in writers),
        buffered=sum(one.buffered for one in writers),
        failures=max((one.failures for one in writers), default=0),
        held_for_s=max((one.held_for_s for one in writers), default=0.0),
        waiting_for_their_key=sum(one.waiting_for_their_key for one in writers),
        vendor_jobs=jobs if any(one.vendor_jobs is not None for one in writers) else None,
    )


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    return dict(sum(map(Counter, counts), Counter()))


def _vendor_jobs(jobs: list[dict[str, Any]]) -> dict[str, VendorJob]:
    return {job["batch_id"]: VendorJob(job["vendor_state"] or job["state"], job["unsettled"]) for job in jobs}


def _by(samples: list[Sample], name: str, label: str) -> Counter[str]:
    """Sum the metric ``name`` by one of its labels."""
    counts: Counter[str] = Counter()
    for sample in samples:
        if sample.name == name:
            counts[sample.labels[label]] += int(sample.value)
    return counts
