"""The journal entries that a lane writes by themselves, without receipts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from sluice.events import NO_REFS, BatchEvent, OpenedJob, Rows
from sluice.flow.batch import Batch, Item
from sluice.flow.journal import rows_of
from sluice.flow.journal_entries import entries_of
from sluice.flow.key_hashes import encode_hashes
from sluice.writer.lanes.commit_cycle import Committer
from sluice.writer.lanes.job_rows import RowPlace

Row = TypeVar("Row")
Written = asyncio.Future[None]
"""Done when an entry is committed, or when its lane is lost."""


class LaneJournal:
    """Writer of one lane's entries."""

    def __init__(self, committer: Committer, max_entry_bytes: int) -> None:
        self._committer = committer
        self._max_entry_bytes = max_entry_bytes

    def open(
        self,
        batch: Batch,
        items: Sequence[Item],
        now: datetime,
        vendor_at: datetime | None,
        newest_ids: Mapping[str, str] = NO_REFS,
    ) -> Written:
        """Put ``items`` of ``batch`` into the journal before they are sent."""
        opened = BatchEvent(
            batch_id=batch.batch_id,
            state="opened",
            batch_key=batch.batch_key,
            refs=dict(newest_ids),
            requested_at=now,
            vendor_at=vendor_at,
        )
        return self._write(items, lambda part: msgspec.structs.replace(opened, rows=_rows(part)))

    def note(self, batch: Batch, item: Item, refs: Mapping[str, str]) -> Written:
        """Put into the journal how far ``item`` of ``batch`` has come at the vendor."""
        entry = BatchEvent(batch_id=batch.batch_id, state="noted", batch_key=batch.batch_key, refs=dict(refs))
        return self._committer.write(msgspec.structs.replace(entry, rows=_rows([item])))

    def withdraw(self, batch: Batch, items: Sequence[Item]) -> Written:
        """Take ``items`` of ``batch`` out of the journal again: they were not sent, or the vendor took none of them."""
        return self.withdraw_rows(
            batch.batch_id, batch.batch_key, [(item.topic, item.offset, item.row) for item in items]
        )

    def withdraw_rows(self, batch_id: str, batch_key: str, rows: Sequence[RowPlace]) -> Written:
        """Take rows, which there are, out of the journal likewise."""
        entry = BatchEvent(batch_id=batch_id, state="withdrawn", batch_key=batch_key)
        return self._write(rows, lambda part: msgspec.structs.replace(entry, rows=rows_of(part)))

    def open_job(
        self,
        batch: Batch,
        items: Sequence[Item],
        hashes: Sequence[int],
        job: OpenedJob,
        now: datetime,
        vendor_at: datetime | None,
    ) -> Written:
        """Put ``items`` of ``batch``, which rise by topic and offset, into the journal before they become a job.

        ``hashes`` are those of their ordering keys.
        """

        def opened(part: Sequence[tuple[Item, int]]) -> BatchEvent:
            own = [item for item, _ in part]
            return BatchEvent(
                batch_id=batch.batch_id,
                state="opened",
                batch_key=batch.batch_key,
                requested_at=now,
                vendor_at=vendor_at,
                rows=_rows(own),
                vendor_job=msgspec.structs.replace(job, key_hashes=encode_hashes([one for _, one in part])),
                body_bytes=sum([len(item.encoded.body) for item in own]),
            )

        return self._write(list(zip(items, hashes, strict=True)), opened)

    def name_job(self, batch_id: str, refs: Mapping[str, str]) -> Written:
        """Put the vendor's names for a batch into the journal before the batch can run."""
        return self._committer.write(BatchEvent(batch_id=batch_id, state="opened", refs=dict(refs)))

    def submitted(self, batch_id: str, refs: Mapping[str, str]) -> Written:
        """Put into the journal that the vendor has a batch, and as what."""
        return self._committer.write(BatchEvent(batch_id=batch_id, state="submitted", refs=dict(refs)))

    def _write(self, rows: Sequence[Row], make: Callable[[Sequence[Row]], BatchEvent]) -> Written:
        # Entries are committed in their order: with the last one all are.
        return [self._committer.write(entry) for entry in entries_of(rows, make, self._max_entry_bytes)][-1]


def _rows(items: Sequence[Item]) -> list[Rows]:
    return rows_of([(item.topic, item.offset, item.row) for item in items])
