"""Topics for tests, on the Kafka that the session's fixture names."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from sluice.kafka.settings import KafkaSettings, SaslSettings, TlsSettings
from sluice.kafka.topic_ids import describe_topics


class RunningKafka(NamedTuple):
    bootstrap_servers: str
    tls: TlsSettings | None = None
    sasl: SaslSettings | None = None

    @property
    def settings(self) -> KafkaSettings:
        return KafkaSettings(bootstrap_servers=self.bootstrap_servers, tls=self.tls, sasl=self.sasl)


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


async def remake_topics(bootstrap_servers: str, names: Iterable[str], *, partitions: int = 1) -> None:
    """Delete the topics and make others of the same names, with their own configuration gone."""
    names = list(names)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        deleted = await admin.delete_topics(names)
        assert not [code for _, code, *_ in deleted.topic_error_codes if code]
        async with asyncio.timeout(20):
            # A broker hears of it later than the one that was asked.
            while any(one.replicas for one in await describe_topics(admin, names)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await admin.close()
    await create_topics(bootstrap_servers, names, partitions=partitions)


async def set_topic_config(bootstrap_servers: str, topic: str, name: str, value: str) -> None:
    """Set one configuration of a topic; all others become the broker's default."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})
        for response in await admin.alter_configs([resource]):
            for code, message, *_ in response.resources:
                assert code == 0, f"topic {topic}: {message}"
    finally:
        await admin.close()


def _led(topics: list[dict[str, object]], partitions: int) -> bool:
    for topic in topics:
        described = topic["partitions"]
        assert isinstance(described, list)
        if len(described) < partitions or any(partition["error_code"] for partition in described):
            return False
    return True
