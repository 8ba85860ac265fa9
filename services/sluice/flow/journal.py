"""A lane's journal: what a restart must know beyond the committed offsets.

1. A batch that must not be repeated writes an entry (``opened``) to the ``batches`` topic before it is sent.
2. Each settled batch writes one (``settled``) in the transaction that holds its receipts. Batches finish out of order,
   so it can settle offsets beyond the committed ones.
3. An entry matters until the commit has passed all of its offsets. The commit's metadata carries the position of the
   oldest entry that matters (``commits.py``).
4. A restart reads the journal from that position: its tail, not its history. It skips the offsets that are settled, and
   asks the vendor about those that were opened and neither settled nor withdrawn. An entry names the ids of its topics:
   rows of a topic that was deleted settle nothing in another one with its name.
5. A record that takes several calls is ``noted`` in between: how far it has come at the vendor.

A batch that becomes a vendor job is opened with what its collecting needs, and named and submitted by entries without
rows (``lane_job.py``).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sluice.events import NO_REFS, BatchEvent, OpenedJob, Rows
from sluice.flow.batch import InDoubt
from sluice.flow.commits import Start
from sluice.flow.in_doubt import InDoubtOffsets
from sluice.flow.key_hashes import decode_hashes
from sluice.flow.lane_job import LaneJob
from sluice.flow.offset_set import OffsetSet

NO_ROW = -1
"""The row of a message that was settled without ever being in a batch."""
MAX_ROWS = 2**31 - 1
"""Of a vendor job: a row has 32 bits."""
MAX_ENTRIES = 1000
"""Entries that are remembered, at most: past it each two become one. Behind one open offset there may be millions."""


class _Entry(NamedTuple):
    position: int
    ends: dict[int, int]
    """By topic, the offset behind the entry's last row."""


class Journal:
    """Entries of one lane that still matter."""

    def __init__(self, inputs: Sequence[Start], start: int = 0, *, opened_at_s: float) -> None:
        """Begin every input topic where ``inputs`` say; the journal is read from ``start``.

        ``opened_at_s``: when the lane was taken over, by the event loop's clock. Nothing its earlier owner has sent is
        answered to us.
        """
        self._inputs = inputs
        self._committed = [one.settled_below for one in inputs]
        self._entries: deque[_Entry] = deque()
        self._next = start
        self._opened_at_s = opened_at_s
        self.settled = [OffsetSet() for _ in inputs]
        """By topic, the offsets beyond the commit that :meth:`read` has found settled."""
        self.in_doubt = [InDoubtOffsets() for _ in inputs]
        """By topic, the offsets that :meth:`read` has found opened, and neither settled nor withdrawn."""
        self.refs: list[dict[int, Mapping[str, str]]] = [{} for _ in inputs]
        """By topic and offset, what :meth:`read` has found noted of records that have no fate yet."""
        self.jobs: dict[str, LaneJob] = {}
        """By batch id, the vendor jobs that :meth:`read` has found opened and of which rows have no fate yet."""
        self.ends = [0] * len(inputs)
        """By topic, the offset behind the last row that :meth:`read` has found, also far below the commit."""
        self.other_ids = [""] * len(inputs)
        """By topic, the last id that :meth:`read` has found of another topic with its name; empty for none."""

    def read(self, position: int, entry: BatchEvent) -> None:
        """Take in an entry found at ``position`` when the lane is opened. Entries come in their order."""
        read = [(rows.topic, self._clipped(entry, rows)) for rows in entry.rows]
        self._remember(position, read)
        if entry.vendor_job is not None:
            self._open_job(entry, entry.vendor_job, [offsets for _, offsets in read])
            return
        job = self.jobs.get(entry.batch_id)
        if job is not None and entry.state in ("opened", "submitted"):
            job.refs = entry.refs
            job.is_submitted = entry.state == "submitted"
            return
        for topic, offsets in read:
            if not offsets:
                continue
            if job is not None:
                job.remove(topic, offsets)
            in_doubt, refs = self.in_doubt[topic], self.refs[topic]
            if entry.state == "noted":
                refs.update({offset: {**refs.get(offset, NO_REFS), **entry.refs} for offset in offsets})
                continue
            if entry.state in ("settled", "withdrawn"):
                in_doubt.remove(offsets)
                for offset in offsets if refs else ():
                    refs.pop(offset, None)
            if entry.state == "settled":
                self.settled[topic].add(offsets)
            elif entry.state != "withdrawn" and entry.requested_at is not None:
                batch = InDoubt(
                    batch_id=entry.batch_id,
                    refs=entry.refs,
                    requested_at=entry.requested_at,
                    lost_at_s=self._opened_at_s,
                    vendor_at=entry.vendor_at,
                )
                in_doubt.add(batch, offsets)
        if job is not None and not job.open:
            del self.jobs[entry.batch_id]

    def _open_job(self, entry: BatchEvent, opened: OpenedJob, clipped: Sequence[range]) -> None:
        """Take in the rows of a vendor job that count; ``clipped`` are the offsets of each of its runs that do."""
        hashes, at = decode_hashes(opened.key_hashes), 0
        if entry.requested_at is None or not any(clipped) or not _is_ours(entry.rows, opened, len(hashes)):
            return
        job = self.jobs.get(entry.batch_id)
        if job is None:
            job = self.jobs[entry.batch_id] = LaneJob(
                batch_id=entry.batch_id,
                batch_key=entry.batch_key,
                items=opened.items,
                fingerprint=opened.fingerprint,
                requested_at=entry.requested_at,
                vendor_at=entry.vendor_at,
                lost_at_s=self._opened_at_s,
                traceparent=opened.traceparent,
            )
        for rows, offsets in zip(entry.rows, clipped, strict=True):
            if offsets:
                first = offsets.start - rows.offset
                run = Rows(rows.topic, offsets.start, len(offsets), rows.row + first)
                job.add(run, hashes[at + first : at + first + len(offsets)])
                self.in_doubt[rows.topic].remove(offsets)
            at += rows.length

    def has(self, topic: int, offset: int) -> bool:
        """Return whether the message at ``offset`` is settled or in a vendor job: it parks no key when it is read."""
        held = any(offset in job.rows[topic].open for job in self.jobs.values() if topic in job.rows)
        return held or offset in self.settled[topic]

    def wrote(self, position: int, entry: BatchEvent) -> None:
        """Remember an entry that was written at ``position``, if it matters."""
        self._remember(position, [(rows.topic, range(rows.offset, rows.offset + rows.length)) for rows in entry.rows])

    def _clipped(self, entry: BatchEvent, rows: Rows) -> range:
        """Return the offsets of ``rows`` that stand in the topic that is read; anybody may have written them."""
        topic = rows.topic
        if not 0 <= topic < len(self._inputs):
            return range(0)
        topic_id = entry.topic_ids[topic] if topic < len(entry.topic_ids) else ""
        if topic_id not in ("", self._inputs[topic].log.topic_id):
            self._forget(topic, topic_id)
            return range(0)
        self.ends[topic] = max(self.ends[topic], rows.offset + rows.length)
        return self._inputs[topic].clip(topic_id, rows.offset, rows.length)

    def _forget(self, topic: int, other_id: str) -> None:
        """Forget the rows of ``topic`` that named no id: they came before one of another topic, so they were its."""
        self.other_ids[topic] = other_id
        self.settled[topic], self.in_doubt[topic], self.ends[topic] = OffsetSet(), InDoubtOffsets(), 0
        self.refs[topic] = {}
        for job in self.jobs.values():
            job.rows.pop(topic, None)
        self.jobs = {batch_id: job for batch_id, job in self.jobs.items() if job.open}

    def _remember(self, position: int, rows: Sequence[tuple[int, range]]) -> None:
        self._next = position + 1
        ends: dict[int, int] = {}
        for topic, offsets in rows:
            if offsets:
                ends[topic] = max(ends.get(topic, 0), offsets.stop)
        if any(end > self._committed[topic] for topic, end in ends.items()):
            self._entries.append(_Entry(position, ends))
            if len(self._entries) == MAX_ENTRIES:
                each = iter(self._entries)
                self._entries = deque(_merged(first, second) for first, second in zip(each, each, strict=True))

    def committed(self, offsets: Sequence[int]) -> None:
        """Move the commit to ``offsets`` and forget the oldest entries as long as they lie wholly below."""
        self._committed = list(offsets)
        while self._entries and all(end <= offsets[topic] for topic, end in self._entries[0].ends.items()):
            self._entries.popleft()

    @property
    def start(self) -> int:
        """The position from which the journal must be read if the lane is opened now.

        A commit carries it without the entries of its own transaction, which get their positions only when that is
        written. They lie behind it, so a restart reads them too.
        """
        return self._entries[0].position if self._entries else self._next


def _is_ours(rows: Sequence[Rows], opened: OpenedJob, hashes: int) -> bool:
    """Return whether rows of a vendor job have so many ``hashes`` and places in it; anybody may have written them."""
    are_rows = all(one.length > 0 and 0 <= one.row <= opened.items - one.length for one in rows)
    return are_rows and opened.items <= MAX_ROWS and hashes == sum(one.length for one in rows)


def _merged(first: _Entry, second: _Entry) -> _Entry:
    """Return two neighbours as one: from an older position than need be the journal is read as well."""
    topics = {*first.ends, *second.ends}
    ends = {topic: max(first.ends.get(topic, 0), second.ends.get(topic, 0)) for topic in topics}
    return _Entry(first.position, ends)


def rows_of(items: Sequence[tuple[int, int, int]]) -> list[Rows]:
    """Return the runs in rising (topic, offset, row); a run ends where topic, offset or row jumps."""
    found: list[Rows] = []
    topic = offset = row = length = 0
    for next_topic, next_offset, next_row in items:
        row_follows = next_row == (row if row == NO_ROW else row + length)
        if length and next_topic == topic and next_offset == offset + length and row_follows:
            length += 1
            continue
        if length:
            found.append(Rows(topic, offset, length, row))
        topic, offset, row, length = next_topic, next_offset, next_row, 1
    if length:
        found.append(Rows(topic, offset, length, row))
    return found
