"""Delivers single batches: sends each, and hands every fate to its lane as soon as it is known."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from sluice.destinations.contract import Destination
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.telemetry.spans import Receipt, batch_span, record_receipt_spans
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.batch_sender import BatchSender, PutBack
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes, Fates, Settlement, VendorAnswer

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

    async def deliver(self, batch: Batch, sender: BatchSender, put_back: PutBack) -> None:
        """Send ``batch`` and settle it, save for what is put back. What is known at a cancel is settled, too."""
        # The report must not refer to the sender, which refers to it: items would wait for the garbage collector.
        report, lanes = _Report(batch), sender.lanes
        sampled = [item.traceparent for item in batch.items if item.traceparent is not None]
        receipts: list[Receipt] = []

        def settle(fates: Fates, times: BatchTimes) -> None:
            report.times = times
            self._settle(fates, times, report, lanes)
            if sampled:
                receipts.extend(_receipts(fates))

        with batch_span(self._topic, batch.batch_id, batch.batch_key, sampled, message_count=len(batch.items)) as span:
            try:
                await sender.run(settle, put_back)
            finally:
                if report.times is not None:
                    self._metrics.window_closed(batch.reason, len(batch.items), batch.body_bytes)
                report.ended(sender.requests)
                record_receipt_spans(span, self._topic, receipts)

    def _settle(self, fates: Fates, times: BatchTimes, report: "_Report", lanes: BatchLanes) -> None:
        now = datetime.now(UTC)
        for number, own in _by_lane(fates).items():
            answer = report.answer(own, times)
            lane = lanes.get(number)
            if lane is not None:
                lane.settle(answer, now)
            else:
                self._lanes.answers.keep(number, [answer])


class _Report:
    """The sum of what is known of one batch. It is told once Kafka has the receipts of everything that was answered."""

    def __init__(self, batch: Batch) -> None:
        self.times: BatchTimes | None = None
        # Without its items: those of one lane must not wait in memory for the commit of another.
        self._batch, self._items = msgspec.structs.replace(batch, items=[]), len(batch.items)
        self._lanes: set[int] = set()
        self._outcomes: Counter[tuple[Fate, str]] = Counter()
        self._requests = 0
        self._unsettled = 1  # the sender itself, which may still bring answers

    def answer(self, fates: Fates, times: BatchTimes) -> VendorAnswer:
        """Return ``fates``, of one lane, as an answer that is counted here once it is settled."""
        self._unsettled += 1
        self._lanes.add(fates[0][0].lane)
        return VendorAnswer(self._batch, fates, times, self._settled)

    def ended(self, requests: int) -> None:
        """Take note that no more answers will come, after ``requests`` requests."""
        self._requests = requests
        self._unsettled -= 1
        self._tell()

    def _settled(self, settlement: Settlement) -> None:
        self._outcomes.update(settlement.outcomes)
        self._unsettled -= 1
        self._tell()

    def _tell(self) -> None:
        if self._unsettled or self.times is None:
            return
        batch, times = self._batch, self.times
        log.info(
            "batch settled",
            extra={
                "batch_id": batch.batch_id,
                "batch_key": batch.batch_key,
                "items": self._items,
                "bytes": batch.body_bytes,
                "flushed_by": batch.reason,
                "requests": self._requests,
                "request_s": round((times.answered_at - times.requested_at).total_seconds(), 3),
                "lanes": len(self._lanes),
                "outcomes": {f"{fate.value} {code}": count for (fate, code), count in self._outcomes.items()},
            },
        )


def _by_lane(fates: Fates) -> dict[int, list[tuple[Item, Outcome]]]:
    by_lane: dict[int, list[tuple[Item, Outcome]]] = {}
    for fate in fates:
        number = fate[0].lane
        own = by_lane.get(number)
        if own is None:
            own = by_lane[number] = []
        own.append(fate)
    return by_lane


def _receipts(fates: Fates) -> Iterator[Receipt]:
    for item, outcome in fates:
        if item.traceparent is not None:
            yield Receipt(item.traceparent, outcome.fate.value, outcome.code)
