"""Does every record have exactly one receipt? Asked of Kafka, not of the writer."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.client.receipts import DeadLetter, Receipt

Position = tuple[int, int]
"""Partition and offset in the records topic: what a record is called here, for bad ones have no other name."""


class Audit(NamedTuple):
    """What does not add up: nothing, if all is well."""

    missing: list[str]
    """Records without a receipt."""
    double: list[str]
    """Records with more than one."""
    strange: list[str]
    """Receipts of what was never published."""

    @property
    def is_clean(self) -> bool:
        """Whether every record has exactly one receipt."""
        return not (self.missing or self.double or self.strange)


def audit(published: Mapping[Position, str], receipts: Iterable[Position | None]) -> Audit:
    """Compare the records in the topic, with a name for people, with the sources that receipts name."""
    counts = Counter(receipts)
    return Audit(
        missing=[_named(position, name) for position, name in published.items() if position not in counts],
        double=[
            f"{_named(position, name)} has {counts[position]}"
            for position, name in published.items()
            if counts[position] > 1
        ],
        strange=[str(position) for position in counts if position not in published],
    )


def source_of(receipt: Receipt) -> Position | None:
    """Where the record of ``receipt`` stands."""
    source = receipt.source if isinstance(receipt, DeadLetter) else receipt.event.source
    return None if source is None else (source.partition, source.offset)


async def read_topic(bootstrap_servers: str, topic: str, partitions: int) -> list[Any]:
    """Every committed message of ``topic``, from the beginning to what is its end now."""
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, isolation_level="read_committed")
    await consumer.start()
    try:
        all_ = [TopicPartition(topic, number) for number in range(partitions)]
        starts, ends = await consumer.beginning_offsets(all_), await consumer.end_offsets(all_)
        consumer.assign(all_)
        for partition, offset in starts.items():
            consumer.seek(partition, offset)
        messages: list[Any] = []
        while any([await consumer.position(partition) < ends[partition] for partition in all_]):
            for fetched in (await consumer.getmany(timeout_ms=200)).values():
                messages += fetched
        return messages
    finally:
        await consumer.stop()


def _named(position: Position, name: str) -> str:
    return f"partition {position[0]} offset {position[1]} ({name})"
