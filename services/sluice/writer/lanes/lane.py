"""A lane: partition p of every topic of one destination, the unit of ownership, order and recovery.

Messages come in through :meth:`Lane.accept`, outcomes through :meth:`Lane.settle`; both end in a settlement for the
committer. When that is committed, :meth:`Lane.committed` frees keys and returns the items that waited for them.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Any, NamedTuple

from sluice.events import NO_REFS, KafkaRecord
from sluice.flow.batch import Item
from sluice.flow.commits import LaneTopicIds
from sluice.flow.journal import Journal
from sluice.flow.key_order import Admission, KeyOrder
from sluice.flow.lane_job import LaneJob
from sluice.flow.offsets import OffsetProgress
from sluice.flow.reading_times import ReadingTimes
from sluice.wall_clock import utc_now
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.commit_cycle import Committer
from sluice.writer.lanes.decoding import RECORDS, Decoder, Recall, Undecodable
from sluice.writer.lanes.held_bytes import messages_bytes
from sluice.writer.lanes.job_rows import LaneJobs
from sluice.writer.lanes.lane_journal import LaneJournal
from sluice.writer.lanes.settlement import Settlement, SettlementBuilder, VendorAnswer

log = logging.getLogger(__name__)


class LaneState(NamedTuple):
    """The part of a lane's state that outlives a process, as Kafka holds it when the lane is opened."""

    progress: list[OffsetProgress]
    """By input topic number."""
    journal: Journal
    order: KeyOrder
    topic_ids: LaneTopicIds
    is_strange: bool = False
    """True when it was not found as its last owner has left it: a first cycle must say what counts from now on."""
    waiting_retries: Mapping[int, int] = {}  # never changed
    """Retries that wait in Kafka, by input topic number."""
    newest_ids: Mapping[str, str] = NO_REFS


class Lane:
    """A lane that this process owns. Once it is no longer ``alive``, nothing of it may be sent anywhere."""

    def __init__(
        self,
        partition: int,
        *,
        state: LaneState,
        committer: Committer,
        decoder: Decoder,
        builder: SettlementBuilder,
        buffer: Buffer,
        stale_after_s: float,
    ) -> None:
        """``stale_after_s``: how long a committed cycle proves the lane ours; well below the session timeout."""
        self.partition = partition
        self.alive = True
        self.progress, journal, self.order = state.progress, state.journal, state.order
        self.waiting_retries = Counter(state.waiting_retries)
        """Retries that wait in Kafka, by input topic number; each of them parks its key."""
        self.committer = committer
        # Offsets that are still to come, by input topic number: settled already, or with a fate that is not known.
        self._settled, self._in_doubt, self._refs = journal.settled, journal.in_doubt, journal.refs
        self.jobs = LaneJobs(journal.jobs, journal.settled, state.progress, state.order)
        self.journal = LaneJournal(committer, builder.limits.entry)
        self.decoder = decoder
        self._builder = builder
        self._buffer = buffer.share()
        self._stale_after_s = stale_after_s
        self._held_keys: list[tuple[float, bytes]] = []
        self._reading_times = ReadingTimes()

    def accept(self, topic: int, messages: Sequence[KafkaRecord]) -> list[Item]:
        """Take ``messages`` of input topic number ``topic``; return the items that may go to the vendor now."""
        progress = self.progress[topic]
        fresh = messages
        if messages and not progress.follows(messages[0].offset):
            fresh = [message for message in messages if progress.follows(message.offset)]
        progress.give([message.offset for message in fresh])
        if topic == RECORDS and fresh:
            self._reading_times.note(fresh[0].offset, time.monotonic())
        if self._settled[topic]:
            fresh = self._without_settled(topic, fresh)
        fresh = self.jobs.pass_by(topic, fresh)
        if topic != RECORDS:
            # Somebody else may have written some, which were not counted.
            self.waiting_retries[topic] = max(0, self.waiting_retries[topic] - len(fresh))
        items = self._decoded(topic, fresh)
        # A retry owns its key: it was parked when the item failed.
        admission = self.order.admit(items) if topic == RECORDS else Admission(items, items)
        self._enter(topic, admission.kept)
        return admission.runnable

    def recall(self, messages: Sequence[KafkaRecord], looked_at: range) -> list[Item]:
        """Take of records that were read again what hungry keys had left; return the items that may go now.

        ``messages`` are all that Kafka has of the offsets ``looked_at``.
        """
        deferred = self.order.deferred
        found = [message for message in messages if message.offset in deferred.offsets]
        here = {message.offset for message in found}
        gone = [offset for offset in looked_at if offset in deferred.offsets and offset not in here]
        # A message without a key must be decoded to know whose it is.
        hungry = [one for one in found if one.key is None or self.decoder.order_key(one.key) in deferred.hungry]
        items = self._decoded(RECORDS, hungry)
        if len(items) < len(hungry):  # the others have their dead letter
            decoded = {item.offset for item in items}
            deferred.offsets.remove([message.offset for message in hungry if message.offset not in decoded])
        admission = self.order.readmit(items, looked_at)
        self._enter(RECORDS, admission.kept)
        if gone:
            self._warn_gone("records that waited for their key are gone from Kafka: they get no receipt", gone)
            deferred.offsets.remove(gone)
            self.progress[RECORDS].settle(gone)
        return admission.runnable

    def settle(self, answer: VendorAnswer, now: datetime) -> None:
        """Hand ``answer``, for items of this lane, to the committer."""
        self._submit(self._builder.of_answer(answer, now))

    def hand_over(self, job: LaneJob, items: Sequence[Item], hashes: Sequence[int]) -> None:
        """Let ``items`` leave memory for ``job``, as :meth:`LaneJobs.hand_over` says."""
        self.jobs.hand_over(job, items, hashes)
        self._buffer.leave(len(items), sum([item.held_bytes for item in items]))

    def recall_rows(
        self, job: LaneJob, topic: int, messages: Sequence[KafkaRecord], looked_at: range, recall: Recall | None
    ) -> list[Item]:
        """Return the items of ``job`` among records that were read again.

        ``messages`` are all that Kafka has of the offsets ``looked_at`` of input topic number ``topic``. Without a
        ``recall`` they are to be sent anew: those that the settings of now do not let be sent get their dead letter.
        """
        rows = job.rows[topic]
        found = [message for message in messages if message.offset in rows.open]
        items = self._decoded(topic, found, recall)
        for item in items:
            item.row = rows.row_of(item.offset) or 0
        self._buffer.enter(len(items), sum([item.held_bytes for item in items]))
        if len(items) < len(found):  # the others have their dead letter, which is of no batch
            decoded = {item.offset for item in items}
            left = [message.offset for message in found if message.offset not in decoded]
            places = [(topic, offset, row) for offset in left if (row := rows.row_of(offset)) is not None]
            self.journal.withdraw_rows(job.batch_id, job.batch_key, places)
            self.jobs.remove(job, {topic: left})
            if topic == RECORDS:  # a retry's dead letter frees its key
                self._free_keys(rows.hashes_of(left))
        here = {message.offset for message in found}
        gone = [offset for run in rows.open.runs_within(looked_at) for offset in run if offset not in here]
        if gone:
            self._warn_gone("records that a vendor job holds are gone from Kafka: they get no receipt", gone)
            self.jobs.remove(job, {topic: gone})
            self._free_keys(rows.hashes_of(gone))
            self.progress[topic].settle(gone)
        return items

    def settle_rows(self, job: LaneJob, answer: VendorAnswer, now: datetime) -> None:
        """Hand ``answer``, for rows of ``job`` that were read again, to the committer."""
        settlement = self._builder.of_answer(answer, now)
        self.jobs.remove(job, settlement.offsets)
        self._submit(settlement)

    def settle_kept(self, kept: Iterable[Settlement | VendorAnswer], now: datetime) -> bool:
        """Settle what was answered before the lane was lost; return whether that is anything.

        Whoever had the lane meanwhile may have settled some of it, or given it to the vendor as a job: then all of that
        settlement is left to him. The offsets of the others are skipped when they are read.
        """
        any_left = False
        for one in kept:
            settlement = one if isinstance(one, Settlement) else self._builder.of_answer(one, now)
            if self._any_taken(settlement):
                continue
            any_left = True
            self._buffer.enter(settlement.items, settlement.item_bytes)
            for topic, offsets in settlement.offsets.items():
                self._settled[topic].add(offsets)
            self.order.park((*settlement.parked_keys, *(key for _, key in settlement.held_keys)))
            self._submit(settlement)
        return any_left

    def committed(self, settlements: Sequence[Settlement]) -> list[Item]:
        """Account for ``settlements``, which are committed; return the items that may go to the vendor now."""
        keys: list[bytes] = []
        for settlement in settlements:
            self._buffer.leave(settlement.items, settlement.item_bytes + settlement.message_bytes)
            keys += settlement.keys
            self.waiting_retries.update({topic: len(retries) for topic, retries in settlement.retries.items()})
            for held in settlement.held_keys:
                heappush(self._held_keys, held)
            if settlement.parked_keys or settlement.held_keys:
                # They stay busy: a retry is to come, or an older request may still be at work.
                self.order.park((*settlement.parked_keys, *(key for _, key in settlement.held_keys)))
            if settlement.on_settled is not None:
                settlement.on_settled(settlement)
        return self.order.release(keys) if self.alive else []

    def due(self, now_s: float) -> list[Item]:
        """Return the items that may go to the vendor now because an older request of their key has surely ended."""
        keys: list[bytes] = []
        while self._held_keys and self._held_keys[0][0] <= now_s:
            keys.append(heappop(self._held_keys)[1])
        return self.order.release(keys) if keys and self.alive else []

    def forget(self) -> None:
        """Take note that its items have left memory: it is lost or given up, and its next owner reads them again."""
        self._buffer.clear()

    @property
    def is_crowded(self) -> bool:
        """True while so much is in memory that nothing more should be read."""
        return self._buffer.full

    def is_stale(self, now_s: float) -> bool:
        """Return whether it is too long ago that Kafka took something for this lane from us."""
        return now_s - self.committer.confirmed_at_s > self._stale_after_s

    def oldest_age_s(self, now_s: float) -> float:
        """Return how long ago, at most, the oldest record was read that is not settled; 0 when none is."""
        read_at_s = self._reading_times.of(self.progress[RECORDS].oldest)
        return 0.0 if read_at_s is None else now_s - read_at_s

    def summary(self) -> dict[str, Any]:
        """Return what was found when the lane was opened, for the log."""
        return {
            "committed": [progress.position for progress in self.progress],
            "settled_beyond": sum(map(len, self._settled)),
            "in_doubt": sum(map(len, self._in_doubt)),
            "parked": self.order.busy,
            "vendor_jobs": len(self.jobs.by_batch),
        }

    def _warn_gone(self, message: str, gone: Sequence[int]) -> None:
        log.warning(message, extra={"lane": self.partition, "records": len(gone), "first": gone[0], "last": gone[-1]})

    def _free_keys(self, hashes: Iterable[int]) -> None:
        """Free keys whose item in a vendor job can be none any more; followers go on when it is asked what is due."""
        for key in self.order.forget_with_vendor(hashes):
            heappush(self._held_keys, (0.0, key))

    def _decoded(self, topic: int, messages: Sequence[KafkaRecord], recall: Recall | None = None) -> list[Item]:
        """Return ``messages`` as items, and settle those that can be none."""
        items: list[Item] = []
        undecodable: list[tuple[KafkaRecord, Undecodable]] = []
        decode = self.decoder.item
        for message in messages:
            try:
                items.append(decode(message, topic, recall))
            except Undecodable as error:
                undecodable.append((message, error))
        if undecodable:
            settlement = self._builder.of_undecodable(topic, undecodable, utc_now())
            self._buffer.enter(settlement.items, settlement.item_bytes)
            self._submit(settlement)
        return items

    def _enter(self, topic: int, items: Sequence[Item]) -> None:
        """Take note that ``items`` are in memory from now on."""
        self._buffer.enter(len(items), sum([item.held_bytes for item in items]))
        in_doubt, refs = self._in_doubt[topic], self._refs[topic]
        if in_doubt or refs:
            for item in items:
                item.in_doubt = in_doubt.batch_of(item.offset)
                item.refs = {**item.refs, **refs.pop(item.offset, NO_REFS)}
            in_doubt.remove([item.offset for item in items])

    def _submit(self, settlement: Settlement) -> None:
        # Its items stay until it is committed: without Kafka's consent their answers must not be lost.
        settlement.message_bytes = messages_bytes(settlement.succeeded, [settlement.dead, *settlement.retries.values()])
        self._buffer.enter(0, settlement.message_bytes)
        self.committer.submit(settlement)

    def _any_taken(self, settlement: Settlement) -> bool:
        return any(
            offset < self.progress[topic].position
            or offset in self._settled[topic]
            or self.jobs.is_ahead(topic, offset)
            for topic, offsets in settlement.offsets.items()
            for offset in offsets
        )

    def _without_settled(self, topic: int, messages: Sequence[KafkaRecord]) -> list[KafkaRecord]:
        """Return those of ``messages`` that were not settled before the lane came here."""
        settled = self._settled[topic]
        skipped = [message.offset for message in messages if message.offset in settled]
        self.progress[topic].settle(skipped)
        fresh = [message for message in messages if message.offset not in settled]
        settled.remove(skipped)
        return fresh
