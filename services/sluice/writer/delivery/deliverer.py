"""Delivers single batches: sends each, and hands every fate to its lane as soon as it is known."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from sluice.destinations.contract import Destination
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.telemetry.spans import Receipt, batch_span, record_receipt_spans
from sluice.writer.delivery.batch_sender import BatchSender
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes, Fates

log = logging.getLogger(__name__)


class Deliverer:
    """Delivers batches of one destination."""

    def __init__(
        self, topic: str, destination: Destination, limiter: Limiter, lanes: Lanes, metrics: WriterMetrics
    ) -> None:
        """``topic`` is the records topic, for spans."""
        self._topic = topic
        self._destination = destination
        self._limiter = limiter
        self._lanes = lanes
        self._metrics = metrics

    def sender_of(self, batch: Batch) -> BatchSender:
        """Return a sender for ``batch``, which takes over the permit of the limiter that the caller has acquired."""
        return BatchSender(batch, self._destination, self._limiter, self._lanes, self._metrics)

    async def deliver(self, batch: Batch, sender: BatchSender) -> None:
        """Send ``batch`` and settle it. What is known when this is cancelled is settled, too."""
        report = _Report()
        sampled = [item.traceparent for item in batch.items if item.traceparent is not None]

        def settle(fates: Fates, times: BatchTimes) -> None:
            report.times = times
            self._settle(batch, fates, times, report)
            if sampled:
                report.receipts += _receipts(fates)

        with batch_span(self._topic, batch.batch_id, batch.batch_key, sampled, message_count=len(batch.items)) as span:
            try:
                await sender.run(settle)
            finally:
                if report.times is not None:
                    self._metrics.window_closed(batch.reason, len(batch.items), batch.body_bytes)
                    _log(batch, sender, report, report.times)
                record_receipt_spans(span, self._topic, report.receipts)

    def _settle(self, batch: Batch, fates: Fates, times: BatchTimes, report: "_Report") -> None:
        now = datetime.now(UTC)
        by_lane: dict[int, list[tuple[Item, Outcome]]] = {}
        for fate in fates:
            number = fate[0].lane
            own = by_lane.get(number)
            if own is None:
                own = by_lane[number] = []
            own.append(fate)
        for number, own in by_lane.items():
            lane = self._lanes.get(number)
            if lane is not None and lane.alive:
                report.outcomes.update(lane.settle(batch, own, times, now).outcomes)
                report.lanes.add(number)


class _Report:
    """The sum of what is known of one batch."""

    def __init__(self) -> None:
        self.times: BatchTimes | None = None
        self.lanes: set[int] = set()
        self.outcomes: Counter[tuple[Fate, str]] = Counter()
        self.receipts: list[Receipt] = []


def _log(batch: Batch, sender: BatchSender, report: _Report, times: BatchTimes) -> None:
    log.info(
        "batch settled",
        extra={
            "batch_id": batch.batch_id,
            "batch_key": batch.batch_key,
            "items": len(batch.items),
            "bytes": batch.body_bytes,
            "flushed_by": batch.reason,
            "requests": sender.requests,
            "request_s": round((times.answered_at - times.requested_at).total_seconds(), 3),
            "lanes": len(report.lanes),
            "outcomes": {f"{fate.value} {code}": count for (fate, code), count in report.outcomes.items()},
        },
    )


def _receipts(fates: Fates) -> Iterator[Receipt]:
    for item, outcome in fates:
        if item.traceparent is not None:
            yield Receipt(item.traceparent, outcome.fate.value, outcome.code)
