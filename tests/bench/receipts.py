"""What a ``read_committed`` consumer sees of the receipts."""

import msgspec
from aiokafka import AIOKafkaConsumer

from tests.bench.stage import Stage


class Receipts(msgspec.Struct):
    """How many receipts there are, and for how many different records."""

    total: int = 0
    records: int = 0


async def count_receipts(stage: Stage) -> Receipts:
    """Everything that stands in the succeeded topic now."""
    found = Receipts()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stage.bootstrap_servers, isolation_level="read_committed", check_crcs=False
    )
    await consumer.start()
    try:
        sizes = await consumer.end_offsets(stage.partitions(stage.topics.records))
        seen = [bytearray(sizes[one]) for one in stage.partitions(stage.topics.records)]
        partitions = stage.partitions(stage.topics.succeeded)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        for one in partitions:
            consumer.seek(one, begins[one])
        for one in partitions:
            while await consumer.position(one) < ends[one]:
                for message in (await consumer.getmany(one, timeout_ms=500, max_records=5000)).get(one, ()):
                    source = _decode(message.value).source
                    found.total += 1
                    found.records += 1 - seen[source.partition][source.offset]
                    seen[source.partition][source.offset] = 1
    finally:
        await consumer.stop()
    return found


class _Source(msgspec.Struct):
    partition: int
    offset: int


class _Receipt(msgspec.Struct):
    source: _Source


_decode = msgspec.json.Decoder(_Receipt).decode
