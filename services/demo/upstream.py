"""Upstream systems: one publishes files, one uses the library, one writes bad records."""

import asyncio
import csv
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer

from demo.environment import Environment
from demo.processes import DESTINATION, run_sluice
from demo.screen import Screen
from sluice import Publisher
from sluice.events import Operation

NOTE = "upstream-note"
"""A header of a bad record that says what is wrong, to be compared with what Sluice finds; the dead letter keeps it."""

_SOME_ROWS_REJECTED = 1
"""The exit code of ``sluice publish`` for it."""


class File(NamedTuple):
    """A CSV file that an upstream system publishes as it is."""

    name: str
    object: str
    key: str
    """The column of the key."""
    job_id: str
    rows: Sequence[Mapping[str, str]]
    has_bad_row: bool = True
    """True to have a row in the middle that has lost its key, which cannot be published."""

    def write(self, directory: Path) -> None:
        """Write it."""
        middle = len(self.rows) // 2
        bad = [{**self.rows[0], self.key: ""}] if self.has_bad_row else []
        with (directory / self.name).open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, self.rows[0])
            rows.writeheader()
            rows.writerows([*self.rows[:middle], *bad, *self.rows[middle:]])


async def publish_file(screen: Screen, directory: Path, file: File) -> None:
    """Write ``file`` and publish it, as a user would. Raises :class:`~demo.processes.DemoFailed`."""
    file.write(directory)
    command = f"publish {DESTINATION} {file.name} --object {file.object} --key {file.key} --job-id {file.job_id}"
    await run_sluice(screen, directory, command, expected=_SOME_ROWS_REJECTED if file.has_bad_row else 0)
    if not file.has_bad_row:
        return
    rejected = msgspec.json.decode((directory / f"{file.name}.rejects.jsonl").read_bytes())
    screen.print(f"the bad row was set aside, exit code 1: line {rejected['line']:,}: {rejected['reason']}")


class Change(NamedTuple):
    """A change that an upstream system publishes with the library."""

    object: str
    operation: Operation
    key: str | dict[str, str] | None
    data: dict[str, Any]
    event_id: str | None = None
    message_key: bytes | None = None


class BadRecord(NamedTuple):
    """A message that cannot be delivered, written to Kafka past every check of Sluice's publisher."""

    note: str
    key: bytes | None
    value: bytes | None


class Upstream:
    """Publishes ``changes`` with the library, and ``bad`` records between them with a plain Kafka client."""

    def __init__(self, changes: Sequence[Change], bad: Sequence[BadRecord], job_id: str) -> None:
        self.published = 0
        self._job_id = job_id
        self._records: list[Change | BadRecord] = [*changes]
        changes_between = max(1, len(changes) // max(1, len(bad)))
        for number, record in enumerate(bad):
            self._records.insert(number * (changes_between + 1) + 1, record)
        self.total = len(self._records)
        """Records to publish."""

    async def publish(self, environment: Environment, *, over_s: float) -> None:
        """Publish everything, evenly over ``over_s`` seconds."""
        producer: Any = AIOKafkaProducer(bootstrap_servers=environment.bootstrap_servers)
        async with Publisher(DESTINATION, environment.config) as publisher, producer:
            started_at_s = time.monotonic()
            for record in self._records:
                if isinstance(record, BadRecord):
                    headers = [(NOTE, record.note.encode())]
                    await producer.send_and_wait(publisher.topic, record.value, record.key, headers=headers)
                else:
                    await publisher.publish(job_id=self._job_id, **record._asdict())
                self.published += 1
                due_at_s = started_at_s + over_s * self.published / self.total
                await asyncio.sleep(max(0.0, due_at_s - time.monotonic()))
