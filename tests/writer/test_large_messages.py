"""Records a hundred times larger than on the wire: each gets its receipt, and their neighbours do not notice."""

from collections import Counter
from random import randbytes

from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from sluice.events import decode_batch, encode_event
from sluice.kafka.sending import BatchedSends
from sluice.kafka.sending import Message as ToSend
from sluice.kafka.topic_admin import admin_client
from sluice.records import make_record, ordering_key
from sluice.writer.lanes.message_limits import MIN_MESSAGE_BYTES
from tests.support.stage import Message, Stage, code_of, record
from tests.support.topics import read_all

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


async def _take_little(stage: Stage, *topics: str) -> None:
    """Have ``topics`` take no more than a writer needs."""
    small = {"max.message.bytes": str(MIN_MESSAGE_BYTES)}
    async with admin_client(stage.connection.kafka) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, small) for topic in topics])


async def test_receipts_are_written_in_batches_that_their_topic_takes(stage: Stage) -> None:
    await _take_little(stage, stage.topics.succeeded)
    sources = await stage.publish(
        record(f"k{n}")._replace(partition=0, headers=[("app", randbytes(500))]) for n in range(200)
    )
    writer = stage.writer(stage.settings(window={"max_items": 1000}))
    assert len(await stage.settled(sources)) == 200
    assert not writer.logged("lane lost")


async def test_batch_of_many_jobs_is_several_entries_of_the_journal(stage: Stage) -> None:
    await _take_little(stage, stage.topics.batches)
    data = {"n": {"increment": 1}}  # has an entry before it is sent, too
    events = [
        make_record(object="group/company", operation="upsert", key=f"k{n}", data=data, job_id=f"{n:03}" + "😀" * 253)
        for n in range(200)
    ]
    sources = await stage.publish(Message(ordering_key(event), encode_event(event), [], 0) for event in events)
    writer = stage.writer(stage.settings(window={"max_items": 1000, "max_age_s": 1.0}))
    assert len(await stage.settled(sources)) == 200
    assert not writer.logged("lane lost")
    entries = [decode_batch(entry.value) for entry in await read_all(stage.connection, stage.topics.batches)]
    settled = [entry for entry in entries if entry.state == "settled"]
    assert len(settled) > len({entry.batch_id for entry in settled})
    jobs = Counter([job_id for entry in settled for job_id in entry.jobs])
    assert set(jobs.values()) == {1}
    assert len(jobs) == sum(entry.counts["delivered"] for entry in settled) == 200
