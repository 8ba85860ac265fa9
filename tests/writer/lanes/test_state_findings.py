"""What is not as a lane's last owner has left it is told, once, with what it means."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from sluice.kafka.topic_admin import admin_client, create_topics
from tests.support.factories import DELIVERED, record_message
from tests.support.fakes import settle
from tests.support.kafka_admin import RunningKafka
from tests.support.lane_owner import LaneOwner, accept, lane_owner, remade
from tests.support.topics import crm_connection


@pytest_asyncio.fixture(scope="module")
async def owner(kafka: RunningKafka) -> AsyncIterator[LaneOwner]:
    """Make a destination whose lanes each serve one test."""
    connection = crm_connection(kafka, f"findings-{uuid.uuid4().hex[:8]}.")
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", connection.topic_prefix, partitions=9)
        yield await lane_owner(connection, admin)


def _warnings(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    """Return what our own code has warned of, with the fields beside it."""
    return [(one.message, vars(one)) for one in caplog.records if one.name.startswith("sluice")]


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param("", id="without metadata"),
        pytest.param("[" * 3000, id="with nonsense"),
    ],
)
async def test_a_reset_is_told_with_what_it_skips_and_only_once(
    owner: LaneOwner, metadata: str, caplog: pytest.LogCaptureFixture
) -> None:
    number = 4 if metadata else 5
    await owner.settle_all(number, 6)
    await owner.commit(number, 2, metadata)
    for _ in range(2):
        async with owner.owned(number) as lane:
            assert accept(lane, 6) == []
    [(message, fields)] = _warnings(caplog)
    assert "publish them anew" in message
    assert (fields["lane"], fields["committed"], fields["with_receipt"]) == (number, 2, 4)


async def test_a_reset_forwards_is_told_with_what_it_leaves_out(
    owner: LaneOwner, caplog: pytest.LogCaptureFixture
) -> None:
    await owner.settle_all(6, 2)
    await owner.publish(6, 4)
    await owner.commit(6, 5)
    async with owner.owned(6) as lane:
        assert lane.progress[0].position == 5
    [(message, fields)] = _warnings(caplog)
    assert "what was skipped without a receipt gets none" in message
    assert (fields["with_receipt"], fields["at_most_without"]) == (0, 3)


async def test_records_that_retention_has_taken_unread_are_told_and_counted(
    owner: LaneOwner, caplog: pytest.LogCaptureFixture
) -> None:
    await owner.publish(8, 9)
    async with owner.owned(8) as lane:
        items = accept(lane, 4)
        settle(lane, [items[0], items[2]], DELIVERED, DELIVERED)
    async with admin_client(owner.connection.kafka) as admin:
        records = TopicPartition(owner.connection.topics("crm").records, 8)
        await admin.delete_records({records: RecordsToDelete(before_offset=7)})
    for _ in range(2):
        async with owner.owned(8) as lane:
            assert lane.progress[0].position == 7
            assert lane.summary()["settled_beyond"] == 0
    [(message, fields)] = _warnings(caplog)
    assert "deleted before they were read" in message
    assert (fields["first"], fields["last"], fields["at_most"]) == (1, 6, 5)
    assert 'sluice_unread_records_deleted_total{destination="crm"} 5.0' in owner.metrics.exposition().decode()


@pytest.fixture(name="own")
async def _own(kafka: RunningKafka, prefix: str) -> AsyncIterator[LaneOwner]:
    """Give a test a destination of its own, whose topics it may make anew."""
    connection = crm_connection(kafka, prefix)
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", prefix, partitions=1)
        yield await lane_owner(connection, admin)


@pytest.mark.parametrize("kept", [pytest.param(False, id="commit lost"), pytest.param(True, id="commit kept")])
async def test_records_topic_made_anew_is_read_from_its_beginning(
    own: LaneOwner, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await own.settle_all(0, 5)
    commit = await own.committed(0)
    assert commit is not None
    new = await remade(own, own.connection.topics("crm").records)
    if kept:  # Kafka forgets commits of a topic that is deleted, but not at once
        await own.commit(0, commit.offset, commit.metadata)
    await new.publish(0, 7)
    for settled in (0, 1):
        async with new.owned(0) as lane:
            items = accept(lane, 7)
            assert [item.offset for item in items] == list(range(settled, 7))
            settle(lane, items[:1], DELIVERED)
    [(message, fields)] = _warnings(caplog)
    assert "begins at its beginning" in message
    assert fields["old_topic_id"] in commit.metadata
    assert fields["topic_id"] not in ("", fields["old_topic_id"])


async def test_retry_topic_made_anew_parks_no_key_for_ever(own: LaneOwner, caplog: pytest.LogCaptureFixture) -> None:
    retries = own.connection.topics("crm").retries[1].name
    servers = own.connection.kafka.bootstrap_servers
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for _ in range(3):
            await producer.send_and_wait(retries, b"", b"a", 0)
    async with own.owned(0) as lane:
        assert lane.summary()["parked"] == 1
        settle(lane, lane.accept(2, [record_message(offset, topic=2) for offset in range(3)]), *[DELIVERED] * 3)
    new = await remade(own, retries)
    async with new.owned(0) as lane:
        assert (lane.progress[2].position, lane.summary()["parked"]) == (0, 0)
    [(message, _)] = _warnings(caplog)
    assert "records that waited in the old one get no receipt" in message


async def test_journal_made_anew_is_read_from_its_beginning(own: LaneOwner, caplog: pytest.LogCaptureFixture) -> None:
    await own.settle_all(0, 3)
    new = await remade(own, own.connection.topics("crm").batches)
    await new.publish(0, 3)
    async with new.owned(0) as lane:
        items = lane.accept(0, [record_message(offset) for offset in (3, 4, 5)])
        settle(lane, items[2:], DELIVERED)
    async with new.owned(0) as lane:
        assert [item.offset for item in lane.accept(0, [record_message(offset) for offset in (3, 4, 5)])] == [3, 4]
    [(message, _)] = _warnings(caplog)
    assert "the journal was made anew" in message
