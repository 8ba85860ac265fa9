"""Everything that a session does for vendor jobs: it submits, follows, finds and collects them."""

import asyncio
from collections.abc import Callable
from typing import Any

from sluice.destinations.vendor_jobs import JobDestination
from sluice.flow.batch import Batch
from sluice.kafka.aiokafka_workarounds import fail_if_cancelled
from sluice.kafka.topic_reader import TopicReader
from sluice.settings import DeliverySettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import DestinationTopics
from sluice.wall_clock import utc_now
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.sender import Sender
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.receipt_messages import rfc3339
from sluice.writer.vendor_jobs.collector import Collector
from sluice.writer.vendor_jobs.finder import Finder
from sluice.writer.vendor_jobs.follower import Follower
from sluice.writer.vendor_jobs.job_table import JobTable
from sluice.writer.vendor_jobs.order_book import OrderBook
from sluice.writer.vendor_jobs.order_runner import OrderRunner
from sluice.writer.vendor_jobs.submitter import Submitter


def is_submitter(sender: Sender) -> bool:
    """Return whether ``sender`` makes its batch a vendor job."""
    return isinstance(sender, Submitter)


class JobRunner:
    """The vendor jobs of one session."""

    def __init__(
        self,
        destination: JobDestination,
        topics: DestinationTopics,
        lanes: Lanes,
        limiter: Limiter,
        make_reader: Callable[[], TopicReader],
        metrics: WriterMetrics,
        settings: DeliverySettings,
        orders: OrderBook,
    ) -> None:
        self.orders = orders
        self._destination = destination
        self._topics = topics
        self._lanes = lanes
        self._limiter = limiter
        self._make_reader = make_reader
        self._metrics = metrics
        self._settings = settings
        self._table = JobTable(lanes, destination.limits.max_jobs, orders.orders)

    def sender_of(self, batch: Batch) -> Submitter:
        """Return a sender for ``batch``, which takes over a permit of the limiter from the caller."""
        return Submitter(batch, self._destination, self._limiter, self._lanes, self._table, self._metrics)

    def has_room(self, under_way: int) -> bool:
        """Return whether the vendor may be given another job, when so many batches may become one any moment."""
        return self._table.has_room(under_way)

    async def run(self, dispatcher: Dispatcher) -> None:
        """Follow, find and collect, and carry out orders, until cancelled."""
        collector = Collector(self._destination, self._topics, self._table, self._make_reader, dispatcher)
        settings = self._settings
        follower = Follower(
            self._destination,
            self._table,
            self._metrics,
            base_s=settings.poll_base_s,
            cap_s=max(settings.poll_base_s, settings.poll_cap_s),
        )
        async with asyncio.TaskGroup() as group:
            finder = Finder(self._destination, self._table, self._topics, self._make_reader)
            orders = OrderRunner(self._destination, self._table, self.orders)
            for loop in (follower, finder, collector, orders):
                group.create_task(fail_if_cancelled(loop.run()))

    def refresh(self) -> None:
        """Set the gauges."""
        states: dict[str, int] = {"submitted": 0, "lost": 0, "over": 0}
        rows, oldest_s, now = 0, 0.0, utc_now()
        for job in self._table:
            rows += job.open
            oldest_s = max(oldest_s, (now - job.known.requested_at).total_seconds())
            states[self._state(job.batch_id, is_submitted=job.known.is_submitted)] += 1
        self._metrics.vendor_jobs_set(states, rows, oldest_s)
        for name, quota in self._destination.quotas.items():
            self._metrics.quota_remaining.labels(name).set(quota.remaining)

    def status(self) -> list[dict[str, Any]]:
        """Return the jobs for people, the oldest first."""
        jobs = sorted(self._table, key=lambda job: job.known.requested_at)
        return [
            {
                "batch_id": job.batch_id,
                "batch_key": job.known.batch_key,
                "vendor_job": job.known.refs,
                "state": self._state(job.batch_id, is_submitted=job.known.is_submitted),
                "vendor_state": self._table.words.get(job.batch_id),
                "items": job.known.items,
                "unsettled": job.open,
                "lanes": sorted(lane.partition for lane, _ in job.parts),
                "requested_at": rfc3339(job.known.requested_at),
            }
            for job in jobs
        ]

    def _state(self, batch_id: str, *, is_submitted: bool) -> str:
        if batch_id in self._table.verdicts:
            return "over"
        return "submitted" if is_submitted else "lost"
