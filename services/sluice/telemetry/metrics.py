"""The metrics of one writer, recorded once per batch or commit cycle and never per record.

Their meanings stand in :mod:`sluice.telemetry.metric_definitions`. Gauges are set, or read at scrape time with
``set_function``.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sluice.destinations.contract import HoldReason, RequestStatus
from sluice.flow.batch import FlushReason
from sluice.flow.outcome import Fate
from sluice.telemetry.delivery_seconds import DeliverySeconds
from sluice.telemetry.metric_definitions import DEFINITIONS, LaneLoss

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_CODES = 50
"""Outcome codes counted by name, those that come first; all further ones are counted as ``other``."""

Reason = TypeVar("Reason", bound=StrEnum)


class WriterMetrics:
    """Metrics of one writer, as Prometheus scrapes them."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._registry = registry = CollectorRegistry()
        self._codes: set[str] = set()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

        def counter(name: str) -> Counter:
            return Counter(name, DEFINITIONS[name].text, DEFINITIONS[name].labels, registry=registry)

        def gauge(name: str) -> Gauge:
            return Gauge(name, DEFINITIONS[name].text, DEFINITIONS[name].labels, registry=registry)

        def histogram(name: str) -> Histogram:
            one = DEFINITIONS[name]
            return Histogram(name, one.text, one.labels, registry=registry, buckets=one.buckets)

        self.outcomes = counter("sluice_outcomes")
        self.dead_letters = counter("sluice_dead_letters")
        self.delivery = DeliverySeconds(registry)
        self.guard_stopped = gauge("sluice_guard_stopped")
        self.window_items = histogram("sluice_window_items")
        self.window_bytes = histogram("sluice_window_bytes")
        self.requests = histogram("sluice_request_seconds")
        self.limiter_wait = histogram("sluice_limiter_wait_seconds")
        self.concurrency_limit = gauge("sluice_concurrency_limit")
        self.in_flight = gauge("sluice_requests_in_flight")
        self.holds = counter("sluice_holds")
        self.held = counter("sluice_held_seconds")
        self.runnable_backlog = gauge("sluice_runnable_backlog_records")
        self.buffered_items = gauge("sluice_buffered_items")
        self.buffered_bytes = gauge("sluice_buffered_bytes")
        self.waiting_retries = gauge("sluice_waiting_retries")
        self.next_retry = gauge("sluice_next_retry_seconds")
        self.left_in_kafka = gauge("sluice_left_in_kafka_records")
        self.parked_keys = gauge("sluice_parked_keys")
        self.misplaced_records = counter("sluice_misplaced_records")
        self.oldest_unsettled = gauge("sluice_oldest_unsettled_seconds")
        self.lanes = gauge("sluice_lanes_owned")
        self.lanes_waiting = gauge("sluice_lanes_waiting")
        self.lane_gap = gauge("sluice_lane_gap_records")
        self.paused_partitions = gauge("sluice_paused_partitions")
        self.lanes_lost = counter("sluice_lanes_lost")
        self.foreign_messages = counter("sluice_foreign_messages")
        self.unread_deleted = counter("sluice_unread_records_deleted")
        self.lane_restarts = counter("sluice_lane_restarts")
        self.vendor_jobs = gauge("sluice_vendor_jobs")
        self.vendor_job_rows = gauge("sluice_vendor_job_rows")
        self.oldest_vendor_job = gauge("sluice_oldest_vendor_job_seconds")
        self.vendor_job_polls = counter("sluice_vendor_job_polls")
        self.quota_remaining = gauge("sluice_quota_remaining")
        self.cycle_seconds = histogram("sluice_commit_cycle_seconds")
        self.cycle_records = histogram("sluice_commit_cycle_records")

    def items_settled(self, counts: Mapping[tuple[Fate, str], int]) -> None:
        """Count the outcomes of one batch by fate and code."""
        for (fate, code), count in counts.items():
            self.outcomes.labels(fate.value, self._known(code)).inc(count)

    def dead_letters_published(self, counts: Mapping[Fate, int]) -> None:
        """Count the dead letters of one batch by error class."""
        for error_class, count in counts.items():
            self.dead_letters.labels(error_class.value).inc(count)

    def receipts_published(self, published_at_s: Iterable[float], now_s: float) -> None:
        """Observe how long the records of one commit cycle took from publishing to receipt."""
        self.delivery.observe_many(published_at_s, now_s)

    def window_closed(self, reason: FlushReason, items: int, body_bytes: int) -> None:
        """Observe the size of one batch."""
        self.window_items.labels(reason).observe(items)
        self.window_bytes.labels(reason).observe(body_bytes)

    def permit_waited(self, seconds: float) -> None:
        """Observe how long one batch that was due waited for its permit."""
        self.limiter_wait.observe(seconds)

    def request_answered(self, status: RequestStatus, seconds: float) -> None:
        """Observe one HTTP attempt."""
        self.requests.labels(status).observe(seconds)

    def delivery_held(self, reason: HoldReason, seconds: float) -> None:
        """Count one hold, which lasts for ``seconds``."""
        self.holds.labels(reason).inc()
        self.held.inc(seconds)

    def cycle_committed(self, records: int, seconds: float) -> None:
        """Observe one commit cycle."""
        self.cycle_records.observe(records)
        self.cycle_seconds.observe(seconds)

    def lane_lost(self, reason: LaneLoss) -> None:
        """Count one lane that was lost."""
        self.lanes_lost.labels(reason).inc()

    def retries_waiting(self, topic: str, count: int, next_in_s: float) -> None:
        """Set the number of retries in ``topic``, and the time until the next one is due."""
        self.waiting_retries.labels(topic).set(count)
        self.next_retry.labels(topic).set(next_in_s)

    def vendor_jobs_set(self, by_state: Mapping[str, int], rows: int, oldest_s: float) -> None:
        """Set the number of vendor jobs by state, the rows in them without a receipt, and the age of the oldest."""
        for state, count in by_state.items():
            self.vendor_jobs.labels(state).set(count)
        self.vendor_job_rows.set(rows)
        self.oldest_vendor_job.set(oldest_s)

    def foreign_message(self, topic: str) -> None:
        """Count one message of somebody else in ``topic``."""
        self.foreign_messages.labels(topic).inc()

    def partitions_paused(self, counts: Mapping[Reason, int]) -> None:
        """Set the number of paused partitions by reason; a reason left out is 0."""
        self.paused_partitions.clear()
        for reason, count in counts.items():
            self.paused_partitions.labels(reason.value).set(count)

    def exposition(self) -> bytes:
        """Return all metrics in the Prometheus text format, as ``CONTENT_TYPE`` says."""
        return generate_latest(_Labelled(self._registry, self._destination))

    def _known(self, code: str) -> str:
        if code not in self._codes:
            if len(self._codes) == MAX_CODES:
                return "other"
            self._codes.add(code)
        return code


class _Labelled(Collector):
    """A registry's metrics with the label ``destination`` on every sample.

    Leaves out the ``_created`` samples, which double the number of series and which no rule here needs.
    """

    def __init__(self, registry: CollectorRegistry, destination: str) -> None:
        self._registry = registry
        self._label = {"destination": destination}

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [
                sample._replace(labels=self._label | sample.labels)
                for sample in metric.samples
                if not sample.name.endswith("_created")
            ]
            yield metric
