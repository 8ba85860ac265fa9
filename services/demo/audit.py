"""Checks in Kafka, without asking the writer, that every record has exactly one receipt."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka import ConsumerRecord

from sluice.client.receipts import DeadLetter, Receipt
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_reader import TopicReader

Position = tuple[int, int]
"""Partition and offset in the records topic; a bad record has no other name."""


class Audit(NamedTuple):
    """Records and receipts that do not match; empty lists where all match."""

    missing: list[str]
    """Records without a receipt."""
    double: list[str]
    """Records with more than one."""
    unknown: list[str]
    """Receipts of records that were never published."""

    @property
    def is_clean(self) -> bool:
        """True when every record has exactly one receipt."""
        return not (self.missing or self.double or self.unknown)


def audit(published: Mapping[Position, str], receipts: Iterable[Position | None]) -> Audit:
    """Compare the records in the topic, each with a name for people, with the sources that the receipts name."""
    counts = Counter(receipts)
    return Audit(
        missing=[_named(position, name) for position, name in published.items() if position not in counts],
        double=[
            f"{_named(position, name)} has {counts[position]}"
            for position, name in published.items()
            if counts[position] > 1
        ],
        unknown=[str(position) for position in counts if position not in published],
    )


def source_of(receipt: Receipt) -> Position | None:
    """Return the position of the record of ``receipt``; ``None`` where the receipt does not say."""
    source = receipt.source if isinstance(receipt, DeadLetter) else receipt.event.source
    return None if source is None else (source.partition, source.offset)


async def read_topic(bootstrap_servers: str, topic: str, partitions: int) -> list[ConsumerRecord]:
    """Return every committed message of ``topic``, from the beginning to its present end."""
    async with TopicReader(KafkaSettings(bootstrap_servers=bootstrap_servers)) as reader:
        return [message async for messages in reader.read(topic, range(partitions)) for message in messages]


def _named(position: Position, name: str) -> str:
    return f"partition {position[0]} offset {position[1]} ({name})"
