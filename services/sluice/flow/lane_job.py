"""Vendor jobs as one lane knows them: which of its records a job holds, and as which rows.

The records themselves are in Kafka, not in memory: a row takes 24 bytes here at most, and a run of neighbours as much
as one row.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from sluice.events import Rows
from sluice.flow.offset_set import OffsetSet


class JobRows:
    """Rows of one vendor job that came from one input topic, and which of them have no fate yet."""

    __slots__ = ("_hashes", "_lengths", "_offsets", "_rows", "_starts", "open")

    def __init__(self) -> None:
        # One entry a run, by rising offset.
        self._offsets = array("q")
        self._lengths = array("i")
        self._rows = array("i")
        self._starts = array("i")  # the place of the run's first hash
        self._hashes = array("Q")
        self.open = OffsetSet()
        """Offsets of the rows that have no fate yet."""

    def add(self, rows: Rows, hashes: Sequence[int]) -> None:
        """Add a run, which lies behind all others, with the hash of each row's ordering key."""
        self._offsets.append(rows.offset)
        self._lengths.append(rows.length)
        self._rows.append(rows.row)
        self._starts.append(len(self._hashes))
        self._hashes.extend(hashes)
        self.open.add(range(rows.offset, rows.offset + rows.length))

    def row_of(self, offset: int) -> int | None:
        """Return the row of the record at ``offset``; ``None`` where the job has none of it."""
        at = self._run_of(offset)
        return None if at is None else self._rows[at] + offset - self._offsets[at]

    def hashes_of(self, offsets: Iterable[int]) -> Iterator[int]:
        """Yield the hash of each ordering key of ``offsets``, as far as the job has them."""
        for offset in offsets:
            at = self._run_of(offset)
            if at is not None:
                yield self._hashes[self._starts[at] + offset - self._offsets[at]]

    @property
    def open_hashes(self) -> Iterator[int]:
        """The hashes of the ordering keys of rows that have no fate yet."""
        return (one for run in self.open.runs() for one in self.hashes_of(run))

    def _run_of(self, offset: int) -> int | None:
        at = bisect_right(self._offsets, offset) - 1
        return at if at >= 0 and offset < self._offsets[at] + self._lengths[at] else None


class LaneJob(msgspec.Struct, kw_only=True):
    """The part of one vendor job that belongs to one lane."""

    batch_id: str
    batch_key: str
    items: int
    """Items of the whole batch, of all its lanes."""
    fingerprint: str
    requested_at: datetime
    vendor_at: datetime | None
    lost_at_s: float
    """As of :class:`~sluice.flow.batch.InDoubt`."""
    traceparent: str = ""
    """The trace context of the submit, if that is sampled."""
    refs: dict[str, str] = {}
    """The vendor's names for it."""
    is_submitted: bool = False
    """False while it is not known whether the vendor has it."""
    rows: dict[int, JobRows] = {}
    """By input topic number."""

    def add(self, rows: Rows, hashes: Sequence[int]) -> None:
        """Add a run of rows, which lies behind all others of its topic, with the hash of each row's ordering key."""
        self.rows.setdefault(rows.topic, JobRows()).add(rows, hashes)

    def remove(self, topic: int, offsets: Sequence[int]) -> None:
        """Take note that the rows of ``offsets``, which rise, have their fate."""
        if (rows := self.rows.get(topic)) is not None:
            rows.open.remove(offsets)

    @property
    def open(self) -> int:
        """Rows of this lane that have no fate yet."""
        return sum(len(rows.open) for rows in self.rows.values())
