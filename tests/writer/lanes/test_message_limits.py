"""MessageLimits: what each topic takes, and what none may take less than."""

import pytest

from sluice.client.connection import Connection
from sluice.kafka.topic_admin import TopicsError, admin_client
from sluice.topics import topics_of
from sluice.writer.lanes.message_limits import MIN_MESSAGE_BYTES, MessageLimits, read_message_limits
from tests.conftest import CreateTopics
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_connection


async def _read(connection: Connection) -> MessageLimits:
    async with admin_client(connection.kafka) as admin:
        return await read_message_limits(admin, topics_of("crm", connection.topic_prefix))


async def test_limits_are_those_of_the_topics(kafka: RunningKafka, prefix: str, create_topics: CreateTopics) -> None:
    topics = topics_of("crm", prefix)
    retries = [retry.name for retry in topics.retries]
    for size, name in enumerate([topics.succeeded, topics.dead_letters, *retries, topics.batches, topics.results]):
        await create_topics([name], config={"max.message.bytes": str(100_000 + size)})
    limits = await _read(crm_connection(kafka, prefix))
    assert limits == MessageLimits(100_000, 100_001, (100_002, 100_003, 100_004, 100_005), 100_006, 100_007)
    assert limits.smallest == 100_000


async def test_topic_that_takes_too_little_for_a_receipt_is_an_error(
    kafka: RunningKafka, prefix: str, create_topics: CreateTopics
) -> None:
    await create_topics([topics_of("crm", prefix).succeeded], config={"max.message.bytes": str(MIN_MESSAGE_BYTES - 1)})
    with pytest.raises(TopicsError, match=r"crm.succeeded to take messages of at least 32768 bytes, .* = 32767"):
        await _read(crm_connection(kafka, prefix))
