"""Receipts as a ``read_committed`` consumer sees them."""

import msgspec

from sluice.events import decode_succeeded
from sluice.kafka.topic_reader import TopicReader
from tests.bench.stage import Stage


class Receipts(msgspec.Struct):
    """Number of receipts, and of the different records that have one."""

    total: int = 0
    records: int = 0


class Delivered(msgspec.Struct, kw_only=True):
    """A measurement in which all records were delivered."""

    records: int
    receipts: Receipts

    @property
    def complete(self) -> bool:
        """True if every record has exactly one receipt."""
        return self.records == self.receipts.total == self.receipts.records


async def count_receipts(stage: Stage) -> Receipts:
    """Count everything that stands in the succeeded topic now."""
    total, seen = 0, set[tuple[int, int]]()
    async with TopicReader(stage.kafka) as reader:
        async for messages in reader.read(stage.topics.succeeded, range(stage.lanes)):
            for message in messages:
                source = decode_succeeded(message.value).source
                seen.add((source.partition, source.offset))
            total += len(messages)
    return Receipts(total, len(seen))
