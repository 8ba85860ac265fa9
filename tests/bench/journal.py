"""Size of the journal."""

from sluice.kafka.topic_reader import TopicReader
from tests.bench.stage import Stage


async def journal_bytes(stage: Stage) -> int:
    """Return the bytes of keys and values of everything that stands in the journal, before compression."""
    found = 0
    async with TopicReader(stage.kafka) as reader:
        async for entries in reader.read(stage.topics.batches, range(stage.lanes)):
            found += sum(len(entry.key or b"") + len(entry.value or b"") for entry in entries)
    return found
