"""The writer process beside a stranger who writes into its own topics."""

from aiokafka import AIOKafkaProducer

from sluice.kafka.foreign_messages import MESSAGE
from tests.support.raw_records import publish_with_header_name
from tests.support.stage import Stage, record

GARBAGE = (None, b"hello", b'{"batch_id": 1}', b'{"batch_id":"b","state":"settled","group":"\xff"}', b"[" * 10_000)
"""Not even what looks like an event, but for its types and its text."""
NO_ROWS = (
    b'{"batch_id":"x","state":"settled","rows":[[0,-5,9,0],[77,0,1,0],[-1,0,5,0],[0,5,-5,0],[0,99999,999999999999,0]]}'
)


async def _disturb(stage: Stage) -> None:
    servers, topics = stage.connection.kafka.bootstrap_servers, stage.topics
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for lane in (0, 1):
            for value in (*GARBAGE, NO_ROWS):
                await producer.send_and_wait(topics.batches, value, b"b", lane)
            for value in GARBAGE:
                await producer.send_and_wait(topics.control, value, b"guard", lane)
    for topic in (topics.batches, topics.control):
        await publish_with_header_name(servers, topic, 0, b"n\xffme")


async def test_a_stranger_in_the_journal_and_at_the_guard_stops_no_writer(stage: Stage) -> None:
    await _disturb(stage)
    sources = await stage.publish(record(f"before-{number}") for number in range(20))
    config = stage.settings()
    writer = stage.writer(config)
    await stage.settled(sources)
    await _disturb(stage)
    assert await writer.stop() == 0
    writer = stage.writer(config)
    sources += await stage.publish(record(f"after-{number}") for number in range(20))
    await stage.settled(sources)
    assert {len(stage.sent(source)) for source in sources} == {1}
    assert {line["topic"] for line in writer.logged(MESSAGE)} == {stage.topics.batches, stage.topics.control}
    counted = (await writer.get("/metrics")).text
    assert f'sluice_foreign_messages_total{{destination="crm",topic="{stage.topics.batches}"}}' in counted
