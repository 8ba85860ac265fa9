"""The surroundings of both contenders: Kafka, the topics of one destination, and settings that lead to a vendor."""

import json
import os
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from sandbox.kafka.cluster import LocalKafka
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.topics import DestinationTopics, topics_of
from tests.bench.vendor import Served, served

DESTINATION = "crm"
SESSION_TIMEOUT_S = 6.0
"""The shortest that a broker allows: a restart after a SIGKILL waits so long for its predecessor to be given up."""


class Stage(NamedTuple):
    """One destination's topics on one Kafka, and the interpreter that runs the processes."""

    bootstrap_servers: str
    prefix: str
    lanes: int
    python: str
    directory: Path
    admin: Any
    """A started ``AIOKafkaAdminClient``."""

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap_servers=self.bootstrap_servers, session_timeout_s=SESSION_TIMEOUT_S)

    @property
    def topics(self) -> DestinationTopics:
        return topics_of(DESTINATION, self.prefix)

    @property
    def writer_group(self) -> str:
        return f"{self.prefix}{DESTINATION}.writer"

    @property
    def reference_group(self) -> str:
        return f"{self.prefix}{DESTINATION}.reference"

    def partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self.lanes)]

    async def committed(self, group_id: str) -> int:
        """Return how many records the group has committed."""
        found = await self.admin.list_consumer_group_offsets(group_id, partitions=self.partitions(self.topics.records))
        return sum(max(0, one.offset) for one in found.values())

    @asynccontextmanager
    async def new_receipts(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Yield a consumer of the receipts that are committed from now on."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap_servers, isolation_level="read_committed"
        ) as consumer:
            consumer.assign(self.partitions(self.topics.succeeded))
            await consumer.seek_to_end()
            yield consumer

    def vendor(self) -> AbstractContextManager[Served]:
        """Run BlueConic's sandbox without a limit of requests at once, which the benchmark is not about."""
        return served("blueconic", "--ledger", "counts", "--max-concurrent", "1000000", python=self.python)

    def settings_file(
        self,
        vendor: Served,
        *,
        entry: Mapping[str, Any] | None = None,
        max_age_s: float = 1.0,
        otlp_endpoint: str | None = None,
    ) -> Path:
        """Write the writer's settings; JSON is YAML. ``entry`` is the destination's, if it is not BlueConic's."""
        path = self.directory / f"{self.prefix}yaml"
        settings = {
            "kafka": {"bootstrap_servers": self.bootstrap_servers, "session_timeout_s": SESSION_TIMEOUT_S},
            "topic_prefix": self.prefix,
            "destinations": {
                DESTINATION: entry
                or {
                    "to": {"kind": "blueconic", "url": vendor.url, **vendor.credentials},
                    "window": {"max_items": 1000, "max_age_s": max_age_s},
                }
            },
            "tracing": {"otlp_endpoint": otlp_endpoint},
            "http": {"host": "127.0.0.1", "port": 0},
        }
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path


@asynccontextmanager
async def staged(bootstrap_servers: str, *, lanes: int, python: str = sys.executable) -> AsyncIterator[Stage]:
    """Yield a stage with topics of its own, which are deleted in the end: a case's messages are gigabytes."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    async with admin_client(KafkaSettings(bootstrap_servers=bootstrap_servers)) as admin:
        with tempfile.TemporaryDirectory() as directory:
            stage = Stage(bootstrap_servers, prefix, lanes, python, Path(directory), admin)
            await create_topics(admin, DESTINATION, prefix, partitions=lanes)
            try:
                yield stage
            finally:
                await admin.delete_topics(list(stage.topics.all))


@contextmanager
def kafka() -> Iterator[str]:
    """Yield the servers that KAFKA_BOOTSTRAP_SERVERS names, or those of a Kafka of our own."""
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if servers:
        yield servers
        return
    with LocalKafka(heap_mb=1024) as local:
        yield local.bootstrap_servers
