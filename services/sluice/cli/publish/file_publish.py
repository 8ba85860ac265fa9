"""One run of ``sluice publish``: from the file to Kafka, at a bounded rate, with what cannot be sent set aside."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from sluice.cli.publish.file_records import Prepared
from sluice.cli.publish.input_file import InputFile
from sluice.cli.publish.progress import PublishProgress
from sluice.cli.publish.read_ahead import reading_ahead
from sluice.cli.publish.rejects import Rejects
from sluice.cli.publish.rows import BadRow, UnusableFile
from sluice.client.publisher import Publisher, RecordTooLarge

LINGER_S = 0.02
"""A file has no hurry: larger batches compress better."""

_ROWS_AT_ONCE = 500

Records = Iterator[Prepared | BadRow]


class Publication:
    """What is being published, and how far it has come."""

    def __init__(self, source: InputFile, records: Records, rejects: Rejects, rate: float | None) -> None:
        """``rate`` is in records per second; ``None`` is as fast as it goes."""
        self.published = 0
        self.stopped_by: UnusableFile | None = None
        """Why the file was not read to its end."""
        self._source = source
        self._records = records
        self._rejects = rejects
        self._rate = rate
        self._started_at_s = time.monotonic()

    async def run(self, publisher: Publisher) -> None:
        """Publish everything; a file that ends badly is remembered. Raises what ``publisher`` raises."""
        with PublishProgress(self._source) as progress:
            async with publisher:
                self._started_at_s = time.monotonic()
                try:
                    async for chunk in self._chunks():
                        for record in chunk:
                            progress.count(rejected=not await self._publish(publisher, record))
                except UnusableFile as error:
                    self.stopped_by = error

    def __str__(self) -> str:
        took_s = time.monotonic() - self._started_at_s
        text = f"published {self.published:,} records in {took_s:.1f} s ({self.published / took_s:,.0f}/s)"
        if self._rejects.count:
            text += f"; rejected rows: {self._rejects.count:,}, see {self._rejects.path}"
        return text

    async def _publish(self, publisher: Publisher, record: Prepared | BadRow) -> bool:
        if isinstance(record, BadRow):
            self._rejects.add(record)
            return False
        try:
            await publisher.publish_event(record.event)
        except RecordTooLarge as error:
            self._rejects.add(record.refused(str(error)))
            return False
        self.published += 1
        if self._rate is not None:
            due_in_s = self._started_at_s + self.published / self._rate - time.monotonic()
            if due_in_s > 0:
                await asyncio.sleep(due_in_s)
        return True

    async def _chunks(self) -> AsyncIterator[list[Prepared | BadRow]]:
        if self._source.total_bytes is None:
            async with reading_ahead(self._records) as feed:
                async for chunk in feed:
                    yield chunk
        else:
            while chunk := self._take():
                yield chunk

    def _take(self) -> list[Prepared | BadRow]:
        """The next rows, also when the file breaks off behind them."""
        chunk = []
        try:
            for record in islice(self._records, _ROWS_AT_ONCE):
                chunk.append(record)
        except UnusableFile as error:
            self.stopped_by = error
        return chunk
