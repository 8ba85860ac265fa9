"""Delivers single batches: sends each, and hands every fate to its lane as soon as it is known."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator

from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.telemetry.spans import Receipt, batch_span, record_receipt_spans
from sluice.wall_clock import utc_now
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.sender import PutBack, Sender
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes, Fates, Settlement, VendorAnswer

log = logging.getLogger(__name__)


class Deliverer:
    """Delivers batches of one destination."""

    def __init__(self, topic: str, sender_of: Callable[[Batch], Sender], lanes: Lanes, metrics: WriterMetrics) -> None:
        """``topic`` is the records topic, for spans.

        ``sender_of`` makes the sender of a batch, which takes over a permit of the limiter from the caller.
        """
        self._topic = topic
        self.sender_of = sender_of
        self._lanes = lanes
        self._metrics = metrics

    async def deliver(self, batch: Batch, sender: Sender, put_back: PutBack) -> None:
        """Send ``batch`` and settle it, save for what is put back. What is known at a cancel is settled, too."""
        # The report must not refer to the sender, which refers to it: items would wait for the garbage collector.
        report, lanes = _Report(batch), sender.lanes
        sampled = [item.traceparent for item in batch.items if item.traceparent is not None]
        receipts: list[Receipt] = []

        def settle(fates: Fates, times: BatchTimes) -> None:
            report.times = times
            self._settle(batch, fates, times, report, lanes)
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

    def _settle(self, batch: Batch, fates: Fates, times: BatchTimes, report: "_Report", lanes: BatchLanes) -> None:
        now = utc_now()
        for number, own in _by_lane(fates).items():
            report.expect(number)
            answer = VendorAnswer(batch, own, times, report.settled)
            lane = lanes.get(number)
            if lane is not None:
                lane.settle(answer, now)
            else:
                self._lanes.answers.keep(number, [answer])


class _Report:
    """The sum of what is known of one batch. It is told once Kafka has the receipts of everything that was answered.

    It does not refer to the items, which leave memory before that.
    """

    def __init__(self, batch: Batch) -> None:
        self.times: BatchTimes | None = None
        self._fields: dict[str, object] = {
            "batch_id": batch.batch_id,
            "batch_key": batch.batch_key,
            "items": len(batch.items),
            "bytes": batch.body_bytes,
            "flushed_by": batch.reason,
        }
        self._lanes: set[int] = set()
        self._outcomes: Counter[tuple[Fate, str]] = Counter()
        self._unsettled = 1  # the sender itself, which may still bring answers

    def expect(self, lane: int) -> None:
        """Take note of an answer for ``lane`` that is to be settled."""
        self._unsettled += 1
        self._lanes.add(lane)

    def settled(self, settlement: Settlement) -> None:
        """Take note that Kafka has the receipts of such an answer."""
        self._outcomes.update(settlement.outcomes)
        self._unsettled -= 1
        self._tell()

    def ended(self, requests: int) -> None:
        """Take note that no more answers will come, after ``requests`` requests."""
        self._fields["requests"] = requests
        self._unsettled -= 1
        self._tell()

    def _tell(self) -> None:
        if self._unsettled or self.times is None:
            return
        seconds = (self.times.answered_at - self.times.requested_at).total_seconds()
        outcomes = {f"{fate.value} {code}": count for (fate, code), count in self._outcomes.items()}
        fields = {"request_s": round(seconds, 3), "lanes": len(self._lanes), "outcomes": outcomes}
        log.info("batch settled", extra={**self._fields, **fields})


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
