"""A lane's journal, folded: what a restart must know beyond the committed offsets.

Each settled batch leaves an entry in the destination's ``batches`` topic, in the transaction that holds its receipts.
Batches finish out of order, so an entry can settle offsets beyond the committed ones; a restart skips exactly those.
A batch that must not be repeated leaves one before it is sent; a restart that finds it unsettled asks the vendor.
An entry matters as long as one of its offsets has not been passed by the commit. The commit's metadata carries the
position of the oldest entry that matters, so that start-up reads the journal's tail and not its history.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sluice.events import BatchEvent, Rows
from sluice.flow.batch import InDoubt

NO_ROW = -1
"""The row of what was settled without ever being in a batch."""


class CommitMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside a lane's committed records offset."""

    journal: int = 0
    """Offset in the lane's ``batches`` partition to read from."""

    def encode(self) -> str:
        """As the string that Kafka keeps with a committed offset."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str | None) -> "CommitMetadata":
        """Of a commit that was not made by a writer nothing is known: its journal is read whole."""
        try:
            return msgspec.json.decode(text or "{}", type=cls)
        except msgspec.DecodeError:
            return cls()


class _Live(NamedTuple):
    position: int
    ends: dict[int, int]
    """By topic, the offset behind the entry's last row."""


class Journal:
    """The entries of one lane that still matter."""

    def __init__(self, committed: Sequence[int], start: int = 0) -> None:
        """``committed`` holds the committed offset of every input topic; the journal is read from ``start``."""
        self._committed = list(committed)
        self._live: deque[_Live] = deque()
        self._next = start
        self.settled: list[set[int]] = [set() for _ in committed]
        """By topic: offsets beyond the commit that are settled already, from the entries that were read."""
        self.in_doubt: list[dict[int, InDoubt]] = [{} for _ in committed]
        """By topic: offsets of items that were being sent, and of which nothing more is known."""

    def read(self, position: int, entry: BatchEvent) -> None:
        """Fold in an entry found at ``position`` when the lane was opened."""
        self.wrote(position, entry)
        for rows in entry.rows:
            floor = max(rows.offset, self._committed[rows.topic])
            offsets = range(floor, rows.offset + rows.length)
            in_doubt = self.in_doubt[rows.topic]
            if entry.state in ("settled", "withdrawn"):
                for offset in offsets:
                    in_doubt.pop(offset, None)
            if entry.state == "settled":
                self.settled[rows.topic].update(offsets)
            elif entry.state != "withdrawn" and entry.requested_at is not None:
                batch = InDoubt(batch_id=entry.batch_id, refs=entry.refs, requested_at=entry.requested_at)
                in_doubt.update(dict.fromkeys(offsets, batch))

    def wrote(self, position: int, entry: BatchEvent) -> None:
        """Take note of an entry that was written at ``position``."""
        self._next = position + 1
        ends: dict[int, int] = {}
        for rows in entry.rows:
            ends[rows.topic] = max(ends.get(rows.topic, 0), rows.offset + rows.length)
        if any(end > self._committed[topic] for topic, end in ends.items()):
            self._live.append(_Live(position, ends))

    def committed(self, offsets: Sequence[int]) -> None:
        """The commit has moved to ``offsets``; entries that lie wholly below no longer matter."""
        self._committed = list(offsets)
        while self._live and all(end <= offsets[topic] for topic, end in self._live[0].ends.items()):
            self._live.popleft()

    @property
    def start(self) -> int:
        """The position from which the journal must be read if the lane were opened now."""
        return self._live[0].position if self._live else self._next


def rows_of(items: Sequence[tuple[int, int, int]]) -> list[Rows]:
    """Rows from (topic, offset, row) in rising order; a run ends where topic, offset or row jumps."""
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
