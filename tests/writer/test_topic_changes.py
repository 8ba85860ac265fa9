"""The writer process when its topics are deleted and made anew, or given partitions, while it runs and while not."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka.admin import NewPartitions

from sandbox.faults.fault import Latency
from sluice.client.receipts import DeadLetter, Receipt
from sluice.kafka.control_topic import set_guard
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.topics import DestinationTopics
from sluice.writer.lanes.state_findings import RECORDS_MADE_ANEW
from tests.support.kafka_admin import remake_topics
from tests.support.stage import Stage, record
from tests.support.writer_process import WriterProcess, eventually

LANES = 2


def _key(receipt: Receipt) -> object:
    return None if isinstance(receipt, DeadLetter) else receipt.event.key


async def _publish(stage: Stage, name: str, count: int) -> Counter[object]:
    """Publish records of so many keys; return how many receipts there must be for each."""
    keys = [f"{name}-{number}" for number in range(count)]
    await stage.publish(record(key) for key in keys)
    return Counter(keys)


async def _settled(stage: Stage, expected: Counter[object]) -> None:
    """Wait until each key has its receipt, and see that none has more. Places tell nothing: old receipts have them."""

    async def found() -> Counter[object]:
        return Counter(key for key in map(_key, await stage.receipts()) if key in expected)

    async def all_there() -> bool:
        return set(await found()) == set(expected)

    await eventually(all_there)
    assert await found() == expected


async def _remake(stage: Stage, *names: str) -> None:
    await remake_topics(stage.connection.kafka.bootstrap_servers, names, partitions=LANES)


@pytest.mark.parametrize(
    ("made_anew", "warned"),
    [
        pytest.param(lambda topics: [topics.records], True, id="records"),
        pytest.param(lambda topics: topics.inputs, True, id="all inputs"),
        pytest.param(lambda topics: topics.all, False, id="all topics, so that nothing tells of the old ones"),
    ],
)
async def test_topics_made_anew_while_nobody_reads_are_read_from_their_beginning(
    stage: Stage, made_anew: Callable[[DestinationTopics], Sequence[str]], warned: bool
) -> None:
    config = stage.settings()
    writer = stage.writer(config)
    await _settled(stage, await _publish(stage, "old", 200))
    assert await writer.stop() == 0
    await _remake(stage, *made_anew(stage.topics))
    writer = stage.writer(config)
    await _settled(stage, await _publish(stage, "new", 250))
    assert len(writer.logged(RECORDS_MADE_ANEW)) == (LANES if warned else 0)


async def _wait_in_a_batch(stage: Stage) -> None:
    stage.app.faults.add(Latency(seconds=1.0, times=1, method="PUT"))
    await stage.publish([record("in-flight")])
    (writer,) = stage.writers
    await writer.shows(lambda status: status["requests_in_flight"] > 0)


async def _stop_by_guard(stage: Stage) -> None:
    kafka, control = stage.connection.kafka, stage.topics.control
    await set_guard(kafka, control, "stopped", reason="a test", by="a test")
    (writer,) = stage.writers
    await writer.shows(lambda status: status["stopped_because"] is not None)


async def _nothing(stage: Stage) -> None:
    pass


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(_nothing, id="idle"),
        pytest.param(_wait_in_a_batch, id="in the middle of a batch"),
        pytest.param(_stop_by_guard, id="stopped by the guard"),
    ],
)
async def test_records_topic_made_anew_under_a_writer_is_read_from_its_beginning(
    stage: Stage, before: Callable[[Stage], Awaitable[None]]
) -> None:
    writer = stage.writer(stage.settings())
    await _settled(stage, await _publish(stage, "old", 200))
    await before(stage)
    await _remake(stage, stage.topics.records)
    expected = await _publish(stage, "new", 250)
    if before is _stop_by_guard:
        await eventually(lambda: _has_rejoined(writer))  # by its watch: it reads nothing that would tell it
        await set_guard(stage.connection.kafka, stage.topics.control, "running", reason="a test", by="a test")
    await _settled(stage, expected)
    assert writer.running
    assert writer.logged(RECORDS_MADE_ANEW)


async def _has_rejoined(writer: WriterProcess) -> bool:
    return bool(writer.logged("joining the group again"))


async def test_all_topics_may_be_away_for_a_while_under_a_writer(stage: Stage) -> None:
    writer = stage.writer(stage.settings())
    await _settled(stage, await _publish(stage, "old", 50))
    async with admin_client(stage.connection.kafka) as admin:
        await admin.delete_topics(list(stage.topics.all))
        await writer.shows(lambda status: "sluice topics create crm" in str(status["not_ready_because"]))
        assert (await writer.get("/livez")).status_code == 200
        await create_topics(admin, "crm", stage.connection.topic_prefix, partitions=LANES)
    await _settled(stage, await _publish(stage, "new", 50))
    assert writer.running


async def _give_partitions(stage: Stage, topics: Sequence[str], count: int) -> None:
    async with admin_client(stage.connection.kafka) as admin:
        await admin.create_partitions({topic: NewPartitions(count) for topic in topics})


async def test_more_partitions_of_all_topics_are_more_lanes(stage: Stage) -> None:
    writer = stage.writer(stage.settings())
    await writer.owns(LANES)
    await _give_partitions(stage, stage.topics.all, LANES + 1)
    given_at_s = time.monotonic()
    await writer.owns(LANES + 1)
    assert time.monotonic() - given_at_s < 30
    sources = await stage.publish(record(f"k{lane}")._replace(partition=lane) for lane in range(LANES + 1))
    await stage.settled(sources)


async def test_more_partitions_of_one_topic_are_told_until_all_have_as_many(stage: Stage) -> None:
    writer = stage.writer(stage.settings())
    await writer.owns(LANES)
    await _give_partitions(stage, [stage.topics.records], LANES + 1)
    given_at_s = time.monotonic()
    await writer.shows(lambda status: f"{stage.topics.records} has 3" in str(status["not_ready_because"]))
    assert time.monotonic() - given_at_s < 30
    assert (await writer.get("/readyz")).status_code == 503
    sources = await stage.publish(record(f"k{lane}")._replace(partition=lane) for lane in range(LANES + 1))
    await _give_partitions(stage, [topic for topic in stage.topics.all if topic != stage.topics.records], LANES + 1)
    await stage.settled(sources)
    assert writer.running
