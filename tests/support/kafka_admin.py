"""Topics for tests, on the Kafka that the session's fixture names."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic


class RunningKafka(NamedTuple):
    bootstrap_servers: str


async def create_topics(
    bootstrap_servers: str,
    names: Iterable[str],
    *,
    partitions: int = 1,
    replicas: int = -1,
    config: Mapping[str, str] | None = None,
) -> None:
    """Create the topics, and return when each partition has a leader; -1 replicas are the cluster's default."""
    # aiokafka takes -1 replicas only together with an (empty) assignment.
    topics = [NewTopic(name, partitions, replicas, {}, dict(config or {})) for name in names]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        created = await admin.create_topics(topics)
        for name, code, message in created.topic_errors:
            assert code == 0, f"topic {name}: {message}"
        async with asyncio.timeout(20):
            # Kafka tells nobody that a leader was elected.
            while not _led(await admin.describe_topics([topic.name for topic in topics]), partitions):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await admin.close()


def _led(topics: list[dict[str, object]], partitions: int) -> bool:
    for topic in topics:
        described = topic["partitions"]
        assert isinstance(described, list)
        if len(described) < partitions or any(partition["error_code"] for partition in described):
            return False
    return True
