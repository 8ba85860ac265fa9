"""What both contenders run against: Kafka, the topics of one destination, a vendor in its own process."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import TopicPartition

from sluice.kafka.settings import KafkaSettings
from sluice.topics import DestinationTopics, topics_of
from tests.support.paths import ROOT

DESTINATION = "crm"
SESSION_TIMEOUT_S = 6.0
"""The shortest that a broker allows: a restart after a SIGKILL waits so long for its predecessor to be given up."""
_STOPPED_WITHIN_S = 10.0


class Sandbox(msgspec.Struct):
    """A running sandbox vendor and how to get in."""

    url: str
    client_id: str = ""
    client_secret: str = ""


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
        """How many records the group has committed."""
        found = await self.admin.list_consumer_group_offsets(group_id, partitions=self.partitions(self.topics.records))
        return sum(max(0, one.offset) for one in found.values())

    def environ(self) -> dict[str, str]:
        """Of every process: this tree, also where the interpreter has another version installed."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "services"), str(ROOT)))}

    @contextmanager
    def sandbox(self, *arguments: str) -> Iterator[Sandbox]:
        """``python -m sandbox`` with ``arguments``, from its first answer to the end of the context."""
        process = subprocess.Popen(
            [self.python, "-m", "sandbox", *arguments, "--json"],
            stdout=subprocess.PIPE,
            env=self.environ(),
            cwd=ROOT,
        )
        try:
            assert process.stdout
            yield msgspec.json.decode(process.stdout.readline(), type=Sandbox)
        finally:
            process.terminate()
            process.wait(_STOPPED_WITHIN_S)

    def settings_file(self, vendor: Sandbox, *, max_age_s: float = 1.0, otlp_endpoint: str | None = None) -> Path:
        """The writer's settings; JSON is YAML."""
        path = self.directory / f"{self.prefix}yaml"
        settings = {
            "kafka": {"bootstrap_servers": self.bootstrap_servers, "session_timeout_s": SESSION_TIMEOUT_S},
            "topic_prefix": self.prefix,
            "destinations": {
                DESTINATION: {
                    "to": {
                        "kind": "blueconic",
                        "url": vendor.url,
                        "client_id": vendor.client_id,
                        "client_secret": vendor.client_secret,
                    },
                    "window": {"max_items": 1000, "max_age_s": max_age_s},
                }
            },
            "tracing": {"otlp_endpoint": otlp_endpoint},
            "http": {"host": "127.0.0.1", "port": 0},
        }
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path
