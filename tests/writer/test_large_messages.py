"""Records a hundred times larger than on the wire: each gets its receipt, and their neighbours do not notice."""

from random import randbytes

from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from sluice.kafka.sending import BatchedSends
from sluice.kafka.sending import Message as ToSend
from sluice.kafka.topic_admin import admin_client
from sluice.writer.lanes.message_limits import MIN_MESSAGE_BYTES
from tests.support.stage import Message, Stage, code_of, record

TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
NEIGHBOURS = 50


async def _publish_compressed(stage: Stage, messages: list[Message]) -> list[tuple[int, int]]:
    """Publish each of ``messages`` to lane 0, in a batch of its own; return their places."""
    producer = AIOKafkaProducer(bootstrap_servers=stage.connection.kafka.bootstrap_servers, compression_type="zstd")
    places = []
    async with producer:
        for one in messages:
            sends = BatchedSends(producer, 0)
            [sent] = await sends.send(stage.topics.records, [ToSend(one.key, one.value, one.headers)])
            places.append((0, (await sent.written).offset))
    return places


async def test_no_record_stops_a_lane(stage: Stage) -> None:
    writer = stage.writer(stage.settings())
    await writer.owns(2)
    bombs = [
        record("headers")._replace(headers=[("app", b"h" * 9_200_000), TRACE]),
        record("key")._replace(key=b"k" * 9_000_000),
        record("value", text="v" * 20_000_000),
        Message(b"m" * 9_000_000, b"no record event" * 1_000_000, [(f"app-{n}", b"h") for n in range(200_000)]),
    ]
    ahead = await stage.publish(record(f"a{n}")._replace(partition=0) for n in range(NEIGHBOURS))
    large = await _publish_compressed(stage, bombs)
    behind = await stage.publish(record(f"b{n}")._replace(partition=0) for n in range(NEIGHBOURS))
    receipts = await stage.settled([*ahead, *large, *behind])
    assert not writer.logged("lane lost")
    assert [len(stage.sent(source)) for source in [*ahead, *large[:2], *behind]] == [1] * (2 * NEIGHBOURS + 2)
    found = [receipts[source] for source in large]
    assert [(code_of(receipt), receipt.cut) for receipt in found] == [
        ("CREATED", ("headers",)),
        ("CREATED", ("key",)),
        ("too-large", ("payload",)),
        ("not-a-record-event", ("headers", "payload", "key")),
    ]
    for receipt, (partition, offset) in zip(found, large, strict=True):
        place = receipt.original_at
        assert place is not None
        assert (place.topic, place.partition, place.offset) == (stage.topics.records, partition, offset)


async def test_receipts_are_written_in_batches_that_their_topic_takes(stage: Stage) -> None:
    async with admin_client(stage.connection.kafka) as admin:
        small = {"max.message.bytes": str(MIN_MESSAGE_BYTES)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, stage.topics.succeeded, small)])
    sources = await stage.publish(
        record(f"k{n}")._replace(partition=0, headers=[("app", randbytes(500))]) for n in range(200)
    )
    writer = stage.writer(stage.settings(window={"max_items": 1000}))
    assert len(await stage.settled(sources)) == 200
    assert not writer.logged("lane lost")
