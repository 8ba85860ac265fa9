"""The environment of the writers: Kafka with its topics, the vendor, the trace receiver, the settings file."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import yaml

from demo.processes import DESTINATION, Sandbox, run_sluice, sandbox
from demo.screen import Screen
from sandbox.control import SandboxControl
from sandbox.kafka.jars import KAFKA_VERSION

LANES = 4
SAMPLE_RATIO = 0.02
SESSION_TIMEOUT_S = 8.0
"""Time after which another writer takes over from one that was killed; 30 s by default."""


class Vendor(Protocol):
    """The vendor that records are carried to."""

    @property
    def sandbox(self) -> Sequence[str]:
        """The arguments of ``python -m sandbox`` that start the stand-in."""
        ...

    async def set_up(self, screen: Screen, vendor: Sandbox, control: SandboxControl) -> None:
        """Prepare the stand-in that was started, and print what it is."""
        ...

    def destination(self, vendor: Sandbox) -> dict[str, object]:
        """Return the destination's entry in the settings file."""
        ...


class Environment(NamedTuple):
    """Everything that is started before the writers."""

    bootstrap_servers: str
    vendor: SandboxControl
    vendor_url: str
    receiver: SandboxControl
    directory: Path
    """The directory of all files, in which commands run; it is removed when the demo ends."""

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.directory / "sluice.yaml"


@asynccontextmanager
async def running_environment(screen: Screen, story: Vendor) -> AsyncIterator[Environment]:
    """Start everything and make the topics; stop and remove it all at the end."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-demo-")))
        screen.step("A real Apache Kafka, and a vendor that is a stand-in")
        screen.print(f"starting Kafka {KAFKA_VERSION}, on a Java from pip; the first time, 46 jars are downloaded")
        kafka = await stack.enter_async_context(sandbox("kafka"))
        screen.print(f"Kafka answers at {kafka.bootstrap_servers}")
        vendor = await stack.enter_async_context(sandbox(*story.sandbox))
        control = await stack.enter_async_context(SandboxControl(vendor.url))
        await story.set_up(screen, vendor, control)
        otlp = await stack.enter_async_context(sandbox("otlp"))
        receiver = await stack.enter_async_context(SandboxControl(otlp.url))
        screen.print(f"a receiver of traces (OTLP) answers at {otlp.url}")
        running = Environment(kafka.bootstrap_servers, control, vendor.url, receiver, directory)
        settings = _settings(kafka, story.destination(vendor), otlp)
        running.config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        screen.step(f"The topics of the destination `{DESTINATION}`")
        await run_sluice(screen, directory, f"topics create {DESTINATION} --partitions {LANES}")
        yield running


def _settings(kafka: Sandbox, destination: dict[str, object], otlp: Sandbox) -> dict[str, object]:
    return {
        "kafka": {"bootstrap_servers": kafka.bootstrap_servers, "session_timeout_s": SESSION_TIMEOUT_S},
        "destinations": {DESTINATION: destination},
        "tracing": {"otlp_endpoint": otlp.url, "sample_ratio": SAMPLE_RATIO},
        "http": {"host": "127.0.0.1", "port": 0},
    }
