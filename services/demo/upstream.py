"""Three upstream systems: one publishes a file, one uses the library, one writes bad records."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer

from demo.airports import KEY, OBJECT, Airport, Change, write_file
from demo.environment import Environment
from demo.processes import DESTINATION, run_sluice
from demo.screen import Screen
from sluice import Publisher

NOTE = "upstream-note"
"""A header of a bad record that says what is wrong, to be compared with what Sluice finds; the dead letter keeps it."""

_FILE = "airports.csv"
_SOME_ROWS_REJECTED = 1
"""The exit code of ``sluice publish`` for it."""


class BadRecord(NamedTuple):
    """A message that cannot be delivered, written to Kafka past every check of Sluice's publisher."""

    note: str
    key: bytes | None
    value: bytes | None


async def publish_file(screen: Screen, directory: Path, airports: Sequence[Airport]) -> None:
    """Write the airports to a file and publish it, as a user would. Raises :class:`~demo.processes.DemoFailed`."""
    screen.step("Publish the file")
    write_file(airports, directory / _FILE)
    screen.print(f"{_FILE} has {len(airports):,} airports, and in the middle a row that has lost its code")
    command = f"publish {DESTINATION} {_FILE} --object {OBJECT} --key {KEY} --job-id airports"
    await run_sluice(screen, directory, command, expected=_SOME_ROWS_REJECTED)
    rejected = msgspec.json.decode((directory / f"{_FILE}.rejects.jsonl").read_bytes())
    screen.print(f"the bad row was set aside, exit code 1: line {rejected['line']:,}: {rejected['reason']}")


class Upstream:
    """Publishes ``changes`` with the library, and ``bad`` records between them with a plain Kafka client."""

    def __init__(self, changes: Sequence[Change], bad: Sequence[BadRecord]) -> None:
        self.published = 0
        self._records: list[Change | BadRecord] = [*changes]
        changes_between = max(1, len(changes) // len(bad))
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
                    await publisher.publish(object=OBJECT, job_id="corrections", **record._asdict())
                self.published += 1
                due_at_s = started_at_s + over_s * self.published / self.total
                await asyncio.sleep(max(0.0, due_at_s - time.monotonic()))


def bad_records() -> list[BadRecord]:
    """Return one record of each kind of fault."""
    nested = {"runways": [{"name": "09L", "length_m": 3902}]}
    return [
        BadRecord("a group type the vendor does not have", b"EDDB", _event(object="group/aerodrome", key="EDDB")),
        BadRecord("an upsert that names no airport", None, _event(object="group/airport")),
        BadRecord("JSON that breaks off", b"EHAM", _event(object="group/airport", key="EHAM")[:-40]),
        BadRecord("bytes that are no text", b"LFPG", b"\x93NUMPY\x01\x00v\x00\xff\xfe"),
        BadRecord("a null value", b"LEMD", None),
        BadRecord("an object this vendor does not know", b"LIRF", _event(object="airport", key="LIRF")),
        BadRecord("a value no property can hold", b"EGLL", _event(object="group/airport", key="EGLL", data=nested)),
    ]


def _event(**fields: Any) -> bytes:
    event = {"event_id": "legacy-1", "operation": "upsert", "occurred_at": datetime.now(UTC), "data": {"city": "?"}}
    return msgspec.json.encode(event | fields)
