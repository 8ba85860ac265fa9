"""One run of ``sluice publish``: sends a file's records to Kafka, and sets aside the rows that it cannot send."""

import asyncio
import time
from collections.abc import AsyncIterator

from sluice.cli.publish.file_records import FileRecord, Records
from sluice.cli.publish.input_file import BadRow, InputFile, UnusableFile
from sluice.cli.publish.progress import PublishProgress
from sluice.cli.publish.read_ahead import reading_ahead
from sluice.cli.publish.rejects import Rejects
from sluice.client.publisher import Publisher, RecordTooLarge

LINGER_S = 0.02
"""Longer than a publisher's default: larger batches compress better, and nobody waits for one record of a file."""


class FilePublisher:
    """Publishes the records of one file, once."""

    def __init__(self, source: InputFile, records: Records, rejects: Rejects, rate: float | None) -> None:
        """Publish at most ``rate`` records a second; ``None`` is unlimited."""
        self.published = 0
        self.stopped_by: UnusableFile | None = None
        """The error that ended the reading before the end of the file."""
        self._source = source
        self._records = records
        self._rejects = rejects
        self._rate = rate
        self._started_at_s = time.monotonic()

    @property
    def rejected(self) -> int:
        """Rows that were set aside."""
        return self._rejects.count

    @property
    def summary(self) -> str:
        """One line about the run so far."""
        took_s = time.monotonic() - self._started_at_s
        text = f"published {self.published:,} records in {took_s:.1f} s ({self.published / took_s:,.0f}/s)"
        if self.rejected:
            text += f"; rejected rows: {self.rejected:,}, see {self._rejects.path}"
        return text

    async def publish_file(self, publisher: Publisher) -> None:
        """Publish everything that can be read, up to ``stopped_by``. Raises the errors of ``publisher``."""
        with PublishProgress(self._source) as progress:
            async with publisher:
                self._started_at_s = time.monotonic()
                try:
                    async for record in self._read():
                        await self._send(publisher, record)
                        progress.show(self.published, self.rejected)
                except UnusableFile as error:
                    self.stopped_by = error

    async def _send(self, publisher: Publisher, record: FileRecord | BadRow) -> None:
        """Publish ``record``, or set it aside."""
        if isinstance(record, BadRow):
            self._rejects.add(record)
            return
        try:
            await publisher.publish_event(record.event, message_key=record.message_key)
        except RecordTooLarge as error:
            self._rejects.add(record.rejected(str(error)))
            return
        self.published += 1
        if self._rate is not None:
            due_at_s = self._started_at_s + self.published / self._rate
            await asyncio.sleep(max(0.0, due_at_s - time.monotonic()))

    async def _read(self) -> AsyncIterator[FileRecord | BadRow]:
        if self._source.total_bytes is None:
            async with reading_ahead(self._records) as rows_ahead:
                async for chunk in rows_ahead:
                    for record in chunk:
                        yield record
        else:
            for record in self._records:
                yield record
