"""Kafka is asked what topics there are, and makes none for that."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, NodeNotReadyError

from sluice.kafka.topic_ids import KafkaTooOld, Uuid, describe_topics
from tests.conftest import CreateTopics
from tests.support.kafka_admin import RunningKafka, remake_topics


async def test_a_topic_made_anew_has_another_id(kafka: RunningKafka, prefix: str, create_topics: CreateTopics) -> None:
    topic = f"{prefix}t"
    await create_topics([topic], partitions=3)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        [before, nowhere] = await describe_topics(admin, [topic, f"{prefix}nowhere"])
        await remake_topics(kafka.bootstrap_servers, [topic], partitions=3)
        [after, still_nowhere] = await describe_topics(admin, [topic, f"{prefix}nowhere"])
    finally:
        await admin.close()
    assert (before.name, before.replicas) == (after.name, after.replicas) == (topic, [1, 1, 1])
    assert before.topic_id != after.topic_id
    assert nowhere.replicas == still_nowhere.replicas == []


class OneBroker:
    """A client of aiokafka's, as far as it is used, with one broker that answers with an error."""

    def __init__(self, error: Exception) -> None:
        self._client = self.cluster = self
        self.nodeId = 0
        self._error = error

    def brokers(self) -> list["OneBroker"]:
        return [self]

    async def send(self, node_id: int, request: object) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        pytest.param(NodeNotReadyError(), NodeNotReadyError, id="no broker answers"),
        pytest.param(NotImplementedError("v0"), KafkaTooOld, id="a broker without ids"),
    ],
)
async def test_no_answer_is_an_error(error: Exception, raised: type[KafkaError]) -> None:
    with pytest.raises(raised):
        await describe_topics(OneBroker(error), ["t"])


def test_an_id_is_written_as_kafkas_tools_do() -> None:
    assert Uuid.encode("AAAAAAAAAAAAAAAAAAAAAQ") == bytes(15) + b"\1"
