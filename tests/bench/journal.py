"""How much a lane's journal weighs."""

from aiokafka import AIOKafkaConsumer

from tests.bench.stage import Stage


async def journal_bytes(stage: Stage) -> int:
    """Keys and values of everything that stands in the journal, before compression."""
    found = 0
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap_servers, isolation_level="read_committed")
    await consumer.start()
    try:
        partitions = stage.partitions(stage.topics.batches)
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        for one in partitions:
            while await consumer.position(one) < ends[one]:
                for entry in (await consumer.getmany(one, timeout_ms=500)).get(one, ()):
                    found += len(entry.key or b"") + len(entry.value or b"")
    finally:
        await consumer.stop()
    return found
