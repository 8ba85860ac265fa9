"""A lane's journal: what a restart must know beyond the committed offsets.

1. A batch that must not be repeated writes an entry (``opened``) to the ``batches`` topic before it is sent.
2. Each settled batch writes one (``settled``) in the transaction that holds its receipts. Batches finish out of order,
   so it can settle offsets beyond the committed ones.
3. An entry matters until the commit has passed all of its offsets. The commit's metadata carries the position of the
   oldest entry that matters.
4. A restart reads the journal from that position: its tail, not its history. It skips the offsets that are settled, and
   asks the vendor about those that were opened and neither settled nor withdrawn.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sluice.events import BatchEvent, Rows
from sluice.flow.batch import InDoubt
from sluice.flow.in_doubt import InDoubtOffsets
from sluice.flow.offset_set import OffsetSet

NO_ROW = -1
"""The row of a message that was settled without ever being in a batch."""
MAX_ENTRIES = 1000
"""Entries that are remembered, at most: past it each two become one. Behind one open offset there may be millions."""


class CommitMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The text that a lane keeps with its committed records offset."""

    journal: int = 0
    """The offset in the lane's ``batches`` partition to read from."""

    def encode(self) -> str:
        """Return the string that Kafka keeps with a committed offset."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str | None) -> "CommitMetadata":
        """Read ``text``. A commit that was not made by a writer has none: then the journal is read whole."""
        try:
            return msgspec.json.decode(text or "{}", type=cls)
        except msgspec.DecodeError:
            return cls()


class _Entry(NamedTuple):
    position: int
    ends: dict[int, int]
    """By topic, the offset behind the entry's last row."""


class Journal:
    """Entries of one lane that still matter."""

    def __init__(self, committed: Sequence[int], start: int = 0, *, opened_at_s: float) -> None:
        """Start with the ``committed`` offset of every input topic; the journal is read from ``start``.

        ``opened_at_s``: when the lane was taken over, by the event loop's clock. Nothing its earlier owner has sent is
        answered to us.
        """
        self._committed = list(committed)
        self._entries: deque[_Entry] = deque()
        self._next = start
        self._opened_at_s = opened_at_s
        self.settled = [OffsetSet() for _ in committed]
        """By topic, the offsets beyond the commit that :meth:`read` has found settled."""
        self.in_doubt = [InDoubtOffsets() for _ in committed]
        """By topic, the offsets that :meth:`read` has found opened, and neither settled nor withdrawn."""

    def read(self, position: int, entry: BatchEvent) -> None:
        """Take in an entry found at ``position`` when the lane is opened. Entries come in their order."""
        self.wrote(position, entry)
        for rows in entry.rows:
            # What lies below the commit is settled whatever the entry says.
            first = max(rows.offset, self._committed[rows.topic])
            offsets = range(first, rows.offset + rows.length)
            in_doubt = self.in_doubt[rows.topic]
            if entry.state in ("settled", "withdrawn"):
                in_doubt.remove(offsets)
            if entry.state == "settled":
                self.settled[rows.topic].add(offsets)
            elif entry.state != "withdrawn" and entry.requested_at is not None:
                batch = InDoubt(
                    batch_id=entry.batch_id,
                    refs=entry.refs,
                    requested_at=entry.requested_at,
                    lost_at_s=self._opened_at_s,
                    vendor_at=entry.vendor_at,
                )
                in_doubt.add(batch, offsets)

    def wrote(self, position: int, entry: BatchEvent) -> None:
        """Remember an entry that was written at ``position``, if it matters."""
        self._next = position + 1
        ends: dict[int, int] = {}
        for rows in entry.rows:
            ends[rows.topic] = max(ends.get(rows.topic, 0), rows.offset + rows.length)
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
