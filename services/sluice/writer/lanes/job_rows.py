"""A lane's vendor jobs: the rows that are with the vendor and not in memory.

1. A job is submitted: its items leave memory, and their keys stay busy (:meth:`LaneJobs.hand_over`).
2. Or it is found in the journal when the lane is opened. Its records are not read then: the lane seeks over them, and
   over what is settled (:meth:`LaneJobs.skip`), or reads past them one by one (:meth:`LaneJobs.pass_by`).
3. Its records are read again: to be settled, or to be sent anew because the vendor does not have them
   (:meth:`LaneJobs.remove`, :meth:`LaneJobs.drop_coming`).
"""

from collections.abc import Mapping, Sequence

from sluice.events import KafkaRecord
from sluice.flow.batch import Item
from sluice.flow.journal import rows_of
from sluice.flow.key_order import KeyOrder
from sluice.flow.lane_job import LaneJob
from sluice.flow.offset_set import OffsetSet
from sluice.flow.offsets import OffsetProgress
from sluice.writer.lanes.decoding import RECORDS

RowPlace = tuple[int, int, int]
"""The input topic number and the offset of a record, and its row in a batch."""
MIN_SKIP = 1000
"""Offsets that are worth a seek: it drops what was fetched already."""


class LaneJobs:
    """Vendor jobs of one lane, by batch id."""

    def __init__(
        self,
        jobs: dict[str, LaneJob],
        settled: Sequence[OffsetSet],
        progress: Sequence[OffsetProgress],
        order: KeyOrder,
    ) -> None:
        """``settled`` are offsets that are still to come, by input topic number, and are kept up to date here."""
        self.by_batch = jobs
        self._settled = settled
        self._progress = progress
        self._order = order
        self._ahead = [OffsetSet() for _ in progress]
        """Offsets of rows that are still to come, by input topic number."""
        for job in jobs.values():
            for topic, rows in job.rows.items():
                order.found_with_vendor(rows.open_hashes)
                for run in rows.open.runs():
                    self._ahead[topic].add(run)

    def hand_over(self, job: LaneJob, items: Sequence[Item], hashes: Sequence[int]) -> None:
        """Take note that ``items``, which rise by topic and offset, leave memory as rows of ``job``.

        ``hashes`` are those of their ordering keys.
        """
        self.by_batch[job.batch_id] = job
        at = 0
        for rows in rows_of([(item.topic, item.offset, item.row) for item in items]):
            job.add(rows, hashes[at : at + rows.length])
            at += rows.length
        self._order.hand_over([item.order_key for item in items], hashes)

    def skip(self, topic: int) -> int | None:
        """Pass by what comes next and need not be read; return where to go on, ``None`` where it is not worth it."""
        progress, ahead, settled = self._progress[topic], self._ahead[topic], self._settled[topic]
        if not ahead and not settled:
            return None
        start = end = progress.next
        while (further := max(ahead.run_end(end), settled.run_end(end))) > end:
            end = further
        if end - start < MIN_SKIP:
            return None
        for run in list(ahead.runs_within(range(start, end))):
            progress.give(run)
        ahead.remove(range(start, end))
        settled.remove(range(start, end))
        progress.skip_to(end)
        return end

    def pass_by(self, topic: int, messages: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """Return those of ``messages``, which have just been given, that are in no vendor job."""
        ahead = self._ahead[topic]
        if not ahead or not (passed := [message.offset for message in messages if message.offset in ahead]):
            return messages
        left = [message for message in messages if message.offset not in ahead]
        ahead.remove(passed)
        return left

    def remove(self, job: LaneJob, offsets: Mapping[int, Sequence[int]]) -> None:
        """Take note that these rows of ``job`` are being settled, or sent anew, by input topic number."""
        for topic, own in offsets.items():
            job.remove(topic, own)
            # Of rows that are still to come, the reading must not wait for a fate that is known by then.
            ahead = self._ahead[topic]
            if ahead and (early := [offset for offset in own if offset in ahead]):
                ahead.remove(early)
                self._settled[topic].add(early)
        if not job.open:
            self.by_batch.pop(job.batch_id, None)

    def drop_coming(self, job: LaneJob) -> list[RowPlace]:
        """Take the rows out of ``job`` that are still to come, and return them: the vendor has none, so they are read.

        Its other rows must be read again.
        """
        dropped: list[RowPlace] = []
        for topic, rows in job.rows.items():
            ahead = self._ahead[topic]
            coming = [offset for run in rows.open.runs() for offset in run if offset in ahead]
            dropped += [(topic, offset, row) for offset in coming if (row := rows.row_of(offset)) is not None]
            ahead.remove(coming)
            rows.open.remove(coming)
            if topic == RECORDS:  # a retry owns its key, and frees it when it is settled
                self._order.forget_with_vendor(rows.hashes_of(coming))
        if not job.open:
            self.by_batch.pop(job.batch_id, None)
        return dropped
