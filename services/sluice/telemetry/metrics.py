"""Every metric of a writer: its unit, what it means, and what to do when it is bad.

All carry the label ``destination``. Counters and histograms are fed by the methods below, once per batch or ledger
cycle and never per record; gauges are set, or read at scrape time with ``set_function``.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sluice.flow.batch import FlushReason
from sluice.flow.outcome import Fate

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_CODES = 50
"""Distinct outcome codes counted by name; vendors' further ones are counted as ``other``."""

ITEMS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
BYTES = tuple(1024 * 4**power for power in range(9))  # 1 KiB to 64 MiB
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 15, 30, 60)
DELIVERY_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)
"""From a batch in time to a record that sat out a night's outage."""


class WriterMetrics:
    """What one writer shows to Prometheus."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._registry = registry = CollectorRegistry()
        self._codes: set[str] = set()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

        # Receipts.
        self.outcomes = Counter(
            "sluice_outcomes",
            "Items by fate and by the vendor's code. Bad: a rising share of `rejected`; look at `sluice dead ls`. Any "
            "`ambiguous`: the vendor's answers get lost, see sluice_request_seconds by status.",
            ["fate", "code"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "sluice_dead_letters",
            "Records moved to dead letters, by error class. Bad: more than a few; `sluice dead ls` groups them by "
            "reason, and they can be redriven when the reason is gone.",
            ["error_class"],
            registry=registry,
        )
        self.delivery = DeliverySeconds(registry)

        self.guard_stopped = Gauge(
            "sluice_guard_stopped",
            "1 while the flood guard has stopped delivery. Bad: 1; look at `sluice dead ls`, mend what makes records "
            "bad, then `sluice guard resume`. Nothing is lost meanwhile.",
            registry=registry,
        )

        # Windows.
        self.window_items = Histogram(
            "sluice_window_items",
            "Items of a closed window, by why it closed. Bad: small windows closed by `key` (one key changes faster "
            "than the vendor answers) or by `age` while there is a backlog; raise window.max_age_s.",
            ["reason"],
            buckets=ITEMS,
            registry=registry,
        )
        self.window_bytes = Histogram(
            "sluice_window_bytes",
            "Encoded bytes of a closed window, by why it closed. Bad: near the vendor's limit while windows close by "
            "`bytes`; the records are large, and batches hold fewer than they could.",
            ["reason"],
            buckets=BYTES,
            registry=registry,
        )

        # The vendor.
        self.requests = Histogram(
            "sluice_request_seconds",
            "Seconds from sending a request to its answer, by status (the HTTP status, or why there is none). Bad: "
            "429 and 503, the vendor is busy; `timeout`, compare with the destination's timeout_s.",
            ["status"],
            buckets=SECONDS,
            registry=registry,
        )
        self.limiter_wait = Histogram(
            "sluice_limiter_wait_seconds",
            "Seconds a batch waited for leave to be sent. Bad: long while in flight is at the limit; the vendor is "
            "the bottleneck, and more writers will not help.",
            buckets=SECONDS,
            registry=registry,
        )
        self.concurrency_limit = Gauge(
            "sluice_concurrency_limit",
            "Requests allowed at once at present. Bad: far below delivery.max_concurrent for long; the vendor pushes "
            "back, see sluice_request_seconds by status.",
            registry=registry,
        )
        self.in_flight = Gauge(
            "sluice_requests_in_flight",
            "Requests sent and not answered. Bad: 0 while there is a backlog and no hold.",
            registry=registry,
        )
        self.holds = Counter(
            "sluice_holds",
            "Times that delivery was put on hold because the vendor was unavailable, by reason. Bad: `unauthorized`; "
            "check the destination's credentials. Nothing is lost in a hold.",
            ["reason"],
            registry=registry,
        )
        self.held = Counter(
            "sluice_held_seconds",
            "Seconds that delivery was on hold. Bad: growing now; the vendor is down or refuses us.",
            registry=registry,
        )

        # What waits.
        self.runnable_backlog = Gauge(
            "sluice_runnable_backlog_records",
            "Records in the input topics that could be delivered now and are not; retries not yet due do not count. "
            "Bad: growing; scale the writer while the vendor has room, see sluice_limiter_wait_seconds.",
            registry=registry,
        )
        self.buffered_items = Gauge(
            "sluice_buffered_items",
            "Items in memory, in lanes, windows and batches. Bad: at delivery.max_buffered_items for long; the writer "
            "reads faster than the vendor takes, which is harmless but for memory.",
            registry=registry,
        )
        self.buffered_bytes = Gauge(
            "sluice_buffered_bytes",
            "Bytes of those items as they came. Bad: at delivery.max_buffered_bytes; as above.",
            registry=registry,
        )
        self.oldest_unsettled = Gauge(
            "sluice_oldest_unsettled_seconds",
            "Age of the oldest item that was read and has no receipt yet. Bad: growing without a hold; one batch is "
            "stuck, and after a restart everything behind it is looked up again.",
            registry=registry,
        )

        # Lanes.
        self.lanes = Gauge(
            "sluice_lanes_owned",
            "Lanes this writer owns. Bad: 0 while others own many; more writers than lanes, or not yet assigned.",
            registry=registry,
        )
        self.lane_gap = Gauge(
            "sluice_lane_gap_records",
            "Largest distance, over the lanes, from the committed offset to the last one read. Bad: growing; as "
            "sluice_oldest_unsettled_seconds.",
            registry=registry,
        )
        self.paused_partitions = Gauge(
            "sluice_paused_partitions",
            "Partitions not being read, by reason. Bad: `parked` for long; many records wait for a retry of their key.",
            ["reason"],
            registry=registry,
        )
        self.lanes_lost = Counter(
            "sluice_lanes_lost",
            "Lanes given up, by reason. Bad: `fenced` more often than writers are restarted; a writer stalls past its "
            "session timeout, look at its CPU and kafka.session_timeout_s.",
            ["reason"],
            registry=registry,
        )
        self.lane_restarts = Counter(
            "sluice_lane_restarts",
            "Times a lane was opened again after a failure. Bad: more than a few an hour; the log names the error.",
            registry=registry,
        )

        # The ledger.
        self.cycle_seconds = Histogram(
            "sluice_ledger_cycle_seconds",
            "Seconds of one ledger cycle, a Kafka transaction. Bad: above 1; Kafka is slow, look at its brokers.",
            buckets=SECONDS,
            registry=registry,
        )
        self.cycle_records = Histogram(
            "sluice_ledger_cycle_records",
            "Records written in one ledger cycle: receipts, retries, journal entries. Bad: a few at a time under "
            "load; transactions are not shared.",
            buckets=ITEMS,
            registry=registry,
        )

    def items_settled(self, counts: Mapping[tuple[Fate, str], int]) -> None:
        """Count the outcomes of one batch by fate and code."""
        for (fate, code), count in counts.items():
            self.outcomes.labels(fate.value, self._known(code)).inc(count)

    def receipts_published(self, published_at_s: Iterable[float], now_s: float) -> None:
        """Observe how long the records of one ledger cycle took from publishing to receipt."""
        self.delivery.observe_many(published_at_s, now_s)

    def window_closed(self, reason: FlushReason, items: int, body_bytes: int) -> None:
        """Observe the size of one batch."""
        self.window_items.labels(reason).observe(items)
        self.window_bytes.labels(reason).observe(body_bytes)

    def request_answered(self, status: int | str, seconds: float) -> None:
        """Observe one HTTP attempt; ``status`` is a short fixed word where there was no answer."""
        self.requests.labels(str(status)).observe(seconds)

    def permit_waited(self, seconds: float) -> None:
        """Observe how long the limiter kept a batch, or a part of it, from being sent."""
        self.limiter_wait.observe(seconds)

    def cycle_committed(self, records: int, seconds: float) -> None:
        """Observe one ledger cycle."""
        self.cycle_records.observe(records)
        self.cycle_seconds.observe(seconds)

    def partitions_paused(self, counts: Mapping[str, int]) -> None:
        """Set the number of paused partitions by reason; a reason left out is 0."""
        self.paused_partitions.clear()
        for reason, count in counts.items():
            self.paused_partitions.labels(reason).set(count)

    def exposition(self) -> bytes:
        """All of it in the Prometheus text format, as ``CONTENT_TYPE`` says."""
        return generate_latest(_Labelled(self._registry, self._destination))

    def _known(self, code: str) -> str:
        if code not in self._codes:
            if len(self._codes) == MAX_CODES:
                return "other"
            self._codes.add(code)
        return code


class DeliverySeconds(Collector):
    """A histogram that takes a thousand observations at a cost of 0.05 µs each; the library's take 1 µs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._at_most = [0] * len(DELIVERY_SECONDS)
        self._count = 0
        self._sum_s = 0.0
        registry.register(self)

    def observe_many(self, published_at_s: Iterable[float], now_s: float) -> None:
        """Observe ``now_s - t`` for each ``t``. An instant after ``now_s`` (another clock) counts as 0 s."""
        instants = sorted(published_at_s)  # nearly sorted as it comes
        count = len(instants)
        past = bisect_right(instants, now_s)
        self._count += count
        # Rounding must not make it fall: a counter that does is taken for one that was reset.
        self._sum_s += max(0.0, now_s * past - sum(instants[:past]))
        for index, bound_s in enumerate(DELIVERY_SECONDS):
            self._at_most[index] += count - bisect_left(instants, now_s - bound_s)

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        buckets = [(repr(float(bound)), count) for bound, count in zip(DELIVERY_SECONDS, self._at_most, strict=True)]
        yield HistogramMetricFamily(
            "sluice_publish_to_receipt_seconds",
            "Seconds from a record's Kafka timestamp to its receipt, waiting and retries included. Bad: above what "
            "you promise; with a backlog see sluice_runnable_backlog_records, without one window.max_age_s.",
            buckets=[*buckets, ("+Inf", self._count)],
            sum_value=self._sum_s,
        )


class _Labelled(Collector):
    """A registry's metrics with the label ``destination`` on every sample.

    Without the ``_created`` samples, which double the number of series and which no rule here needs.
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
