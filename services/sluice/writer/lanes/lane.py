"""A lane: partition p of every topic of one destination, the unit of ownership, order and recovery."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from sluice.events import BatchEvent, KafkaRecord
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.journal import rows_of
from sluice.flow.key_order import KeyOrder
from sluice.flow.offsets import OffsetProgress
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.decoding import RECORDS, Decoder, Undecodable
from sluice.writer.lanes.settlement import BatchTimes, Settled, Settlement, SettlementBuilder


class Committer(Protocol):
    """What a lane needs of its ledger."""

    @property
    def confirmed_at_s(self) -> float:
        """When, by the monotonic clock, the last committed cycle began."""
        ...

    def submit(self, settlement: Settlement) -> None:
        """Have ``settlement`` written in the next cycle."""
        ...

    def write(self, entry: BatchEvent | None) -> "asyncio.Future[None]":
        """Have ``entry``, if any, written in the next cycle; done when it is committed, or the lane is lost."""
        ...


class Lane:
    """What one process knows of a lane that it owns.

    Messages come in through :meth:`accept`, outcomes through :meth:`settle`; both end in a settlement for the ledger.
    Once it is no longer ``alive`` nothing of it may be sent to the vendor or to Kafka.
    """

    def __init__(
        self,
        *,
        partition: int,
        intake: Decoder,
        order: KeyOrder,
        progress: Sequence[OffsetProgress],
        settled: Sequence[set[int]],
        settling: SettlementBuilder,
        buffer: Buffer,
        in_doubt: Sequence[dict[int, InDoubt]],
        ledger: Committer,
        stale_after_s: float,
    ) -> None:
        """``settled`` and ``in_doubt`` are what the journal says of offsets to come, by input topic number.

        ``stale_after_s``: how long a committed ledger cycle proves that the lane is ours; well below the session
        timeout, after which the group may give it to somebody else.
        """
        self.partition = partition
        self.alive = True
        self.order = order
        self.progress = progress
        self._intake = intake
        self._settled = settled
        self._settling = settling
        self._buffer = buffer
        self._in_doubt = in_doubt
        self._ledger = ledger
        self._stale_after_s = stale_after_s
        self._read_at: deque[tuple[int, float]] = deque()

    def accept(self, topic: int, messages: Sequence[KafkaRecord]) -> list[Item]:
        """Take ``messages`` of input topic number ``topic``; the items that may go to the vendor now."""
        progress = self.progress[topic]
        fresh = messages
        if messages and not progress.follows(messages[0].offset):
            fresh = [message for message in messages if progress.follows(message.offset)]
        progress.give([message.offset for message in fresh])
        if topic == RECORDS and fresh:
            self._read_at.append((fresh[0].offset, time.monotonic()))
        already = self._settled[topic]
        if already:
            fresh = self._skip(topic, fresh, already)
        self._buffer.enter(len(fresh), sum([len(message.value or b"") for message in fresh]))
        items: list[Item] = []
        poisoned: list[tuple[KafkaRecord, Undecodable]] = []
        make = self._intake.item
        for message in fresh:
            try:
                items.append(make(message, topic))
            except Undecodable as poison:
                poisoned.append((message, poison))
        if poisoned:
            self._ledger.submit(self._settling.poison(topic, poisoned, datetime.now(UTC)))
        if in_doubt := self._in_doubt[topic]:
            for item in items:
                item.in_doubt = in_doubt.pop(item.offset, None)
        # A retry owns its key: it was parked when the item failed.
        return self.order.admit(items) if topic == RECORDS else items

    def oldest_age_s(self, now_s: float) -> float:
        """How long ago, at most, the oldest record was read that is not settled; 0 when none is."""
        oldest = self.progress[RECORDS].oldest
        while len(self._read_at) > 1 and (oldest is None or self._read_at[1][0] <= oldest):
            self._read_at.popleft()
        return 0.0 if oldest is None or not self._read_at else now_s - self._read_at[0][1]

    def intend(self, batch: Batch, rows: Sequence[tuple[int, Item]], now: datetime) -> "asyncio.Future[None]":
        """Put these items of ``batch`` into the journal before they are sent, each with its row in the batch."""
        entry = BatchEvent(
            batch_id=batch.batch_id,
            state="opened",
            batch_key=batch.batch_key,
            rows=rows_of([(item.topic, item.offset, row) for row, item in rows]),
            requested_at=now,
        )
        return self._ledger.write(entry)

    def withdraw(self, batch: Batch, rows: Sequence[tuple[int, Item]]) -> None:
        """Take these items of ``batch`` out of the journal again: they have not been sent, or were turned away."""
        places = rows_of([(item.topic, item.offset, row) for row, item in rows])
        self._ledger.write(
            BatchEvent(batch_id=batch.batch_id, state="withdrawn", batch_key=batch.batch_key, rows=places)
        )

    def is_stale(self, now_s: float) -> bool:
        """Whether it is too long ago that Kafka took something for this lane from us."""
        return now_s - self._ledger.confirmed_at_s > self._stale_after_s

    def confirm(self) -> "asyncio.Future[None]":
        """Find out whether the lane is still ours; done when that is known, and ``alive`` tells."""
        return self._ledger.write(None)

    def settle(self, batch: Batch, rows: Sequence[Settled], times: BatchTimes, now: datetime) -> Settlement:
        """Hand the outcomes of this lane's items of ``batch`` to the ledger, as the settlement that is returned."""
        settlement = self._settling.batch(batch, rows, times, now)
        self._ledger.submit(settlement)
        return settlement

    def _skip(self, topic: int, messages: Sequence[KafkaRecord], already: set[int]) -> list[KafkaRecord]:
        """Those of ``messages`` that were not settled before the lane came here."""
        skipped = {message.offset for message in messages if message.offset in already}
        already.difference_update(skipped)
        self.progress[topic].settle(skipped)
        return [message for message in messages if message.offset not in skipped]
