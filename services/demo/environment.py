"""The environment of the writer: Kafka with its topics, the vendor, the trace receiver, the settings file."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from demo.processes import DESTINATION, Sandbox, run_sluice, sandbox
from demo.screen import Screen
from sandbox.control import SandboxControl
from sandbox.faults.fault import Latency
from sandbox.kafka.jars import KAFKA_VERSION

LANES = 4
SAMPLE_RATIO = 0.02
LATENCY_S, JITTER_S = 0.4, 0.2
"""The time that the vendor takes for a bulk request, long enough to see requests in flight."""


class Environment(NamedTuple):
    """Everything that is started before the writer."""

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
async def running_environment(screen: Screen) -> AsyncIterator[Environment]:
    """Start everything and make the topics; stop and remove it all at the end."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-demo-")))
        screen.step("A real Apache Kafka, and a vendor that is a stand-in")
        screen.print(f"starting Kafka {KAFKA_VERSION}, on a Java from pip; the first time, 46 jars are downloaded")
        kafka = await stack.enter_async_context(sandbox("kafka"))
        screen.print(f"Kafka answers at {kafka.bootstrap_servers}")
        vendor = await stack.enter_async_context(sandbox("blueconic"))
        control = await stack.enter_async_context(SandboxControl(vendor.url))
        await control.add_fault(Latency(seconds=LATENCY_S, jitter_s=JITTER_S, times=None, method="PUT"))
        screen.print(
            f"the vendor, a strict stand-in for BlueConic, answers at {vendor.url}, in {LATENCY_S:g} to "
            f"{LATENCY_S + JITTER_S:g} s a request"
        )
        otlp = await stack.enter_async_context(sandbox("otlp"))
        receiver = await stack.enter_async_context(SandboxControl(otlp.url))
        screen.print(f"a receiver of traces (OTLP) answers at {otlp.url}")
        running = Environment(kafka.bootstrap_servers, control, vendor.url, receiver, directory)
        running.config.write_text(yaml.safe_dump(_settings(kafka, vendor, otlp), sort_keys=False), encoding="utf-8")
        screen.step(f"The topics of the destination `{DESTINATION}`")
        await run_sluice(screen, directory, f"topics create {DESTINATION} --partitions {LANES}")
        yield running


def _settings(kafka: Sandbox, vendor: Sandbox, otlp: Sandbox) -> dict[str, object]:
    account = {"url": vendor.url, "client_id": vendor.client_id, "client_secret": vendor.client_secret}
    # The outage lasts seconds, not hours: check more often whether it is over.
    destination = {"to": {"kind": "blueconic", **account}, "delivery": {"backoff_cap_s": 1.0}}
    return {
        "kafka": {"bootstrap_servers": kafka.bootstrap_servers},
        "destinations": {DESTINATION: destination},
        "tracing": {"otlp_endpoint": otlp.url, "sample_ratio": SAMPLE_RATIO},
        "http": {"host": "127.0.0.1", "port": 0},
    }
