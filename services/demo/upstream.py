"""Three upstream systems: one publishes a file, one uses the library, one writes bad records."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from demo.airports import KEY, OBJECT, Airport, Change, write_file
from demo.bad_records import BadRecord
from demo.processes import DESTINATION, DemoFailed, run_sluice
from demo.screen import Screen
from sluice import Publisher

FILE = "airports.csv"
_SOME_ROWS_REJECTED = 1
"""The exit code of ``sluice publish`` for it."""


class _RejectedRow(msgspec.Struct):
    line: int
    reason: str


async def publish_file(screen: Screen, directory: Path, airports: Sequence[Airport]) -> None:
    """Write the airports to a file and publish it, as a user would. Raises :class:`~demo.processes.DemoFailed`."""
    screen.step("Publish the file")
    write_file(airports, directory / FILE)
    screen.print(f"{FILE} has {len(airports):,} airports, and in the middle a row that has lost its code")
    command = ["publish", DESTINATION, FILE, "--object", OBJECT, "--key", KEY, "--job-id", "airports"]
    screen.command(f"sluice {' '.join(command)}")
    code = await run_sluice(directory, *command)
    if code != _SOME_ROWS_REJECTED:
        raise DemoFailed(f"`sluice publish` ended with exit code {code}, expected 1: one row cannot be published")
    rejected = msgspec.json.decode((directory / f"{FILE}.rejects.jsonl").read_bytes(), type=_RejectedRow)
    screen.print(f"the bad row was set aside, exit code 1: line {rejected.line:,}: {rejected.reason}")


class Upstream:
    """Publishes ``changes`` with the library, and ``bad`` records between them with a plain Kafka client."""

    def __init__(self, changes: Sequence[Change], bad: Sequence[BadRecord]) -> None:
        self.published = 0
        self._changes = changes
        self._bad = bad

    @property
    def total(self) -> int:
        """The number of records to publish."""
        return len(self._changes) + len(self._bad)

    async def publish(self, config: Path, bootstrap_servers: str, *, over_s: float) -> None:
        """Publish everything, evenly over ``over_s`` seconds."""
        producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap_servers)
        async with Publisher(DESTINATION, config) as publisher, producer:
            started_at_s = time.monotonic()
            bad = iter(self._bad)
            bad_every = max(1, len(self._changes) // len(self._bad))
            for number, change in enumerate(self._changes):
                await publisher.publish(
                    object=OBJECT, operation=change.operation, key=change.key, data=change.data, job_id="corrections"
                )
                self.published += 1
                if number % bad_every == 0 and (record := next(bad, None)) is not None:
                    await self._publish_bad(producer, publisher.topic, record)
                due_at_s = started_at_s + over_s * self.published / self.total
                await asyncio.sleep(max(0.0, due_at_s - time.monotonic()))
            for record in bad:
                await self._publish_bad(producer, publisher.topic, record)

    async def _publish_bad(self, producer: Any, topic: str, record: BadRecord) -> None:
        await producer.send_and_wait(topic, record.value, record.key, headers=record.headers)
        self.published += 1
