"""The command: a writer that cannot start prints why, and its exit code names the kind of reason for scripts."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sandbox.faults.fault import Status
from sandbox.kafka.cluster import LocalKafka
from sluice.writer.__main__ import main
from tests.support.kafka_admin import RunningKafka, create_topics
from tests.support.raw_records import publish_with_header_name
from tests.support.secured import TLS
from tests.support.stage import Stage, change_settings, record
from tests.support.topics import crm_connection
from tests.support.writer_process import WriterProcess


async def _fails_with(writer: WriterProcess, code: int, *words: str) -> None:
    assert await writer.ended() == code, writer.log_text()
    said = writer.log_text().splitlines()[-1]
    assert said.startswith("sluice.writer: ")
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"kafka": {"bootstrap": "x:9092"}}, ["kafka.bootstrap", "bootstrap_servers"], id="unknown key"),
        pytest.param({"destinations": {}}, ["no destination 'crm'"], id="no such destination"),
        pytest.param({"http": {"port": "many"}}, ["port"], id="wrong type"),
        pytest.param(
            {"kafka": {"bootstrap_servers": "x:1", "tls": {"ca_file": "/nonexistent/ca.pem"}}},
            ["kafka.tls.ca_file", "/nonexistent/ca.pem", "correct the path"],
            id="missing file",
        ),
        pytest.param({"topic_prefix": "${env:NOT_SET_ANYWHERE}"}, ["NOT_SET_ANYWHERE"], id="missing variable"),
    ],
)
def test_settings_that_cannot_be_used_are_code_3(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    config = tmp_path / "sluice.yaml"
    vendor = {"kind": "blueconic", "url": "http://localhost:1", "client_id": "i", "client_secret": "s"}
    settings = {"kafka": {"bootstrap_servers": "localhost:1"}, "destinations": {"crm": {"to": vendor}}}
    config.write_text(json.dumps({**settings, **changes}), encoding="utf-8")
    result = CliRunner().invoke(main, ["--destination", "crm", "--config", str(config)])
    assert (result.exit_code, result.stdout) == (3, "")
    assert [word for word in ["sluice.writer: ", *words] if word not in result.stderr] == []


async def test_no_settings_are_code_3(tmp_path: Path) -> None:
    writer = WriterProcess(tmp_path / "nowhere.yaml", tmp_path / "log")
    with closing(writer):
        await _fails_with(writer, 3, "nowhere.yaml", "--config")


async def test_a_kafka_that_does_not_answer_is_code_4(stage: Stage) -> None:
    kafka = {"bootstrap_servers": "localhost:1"}
    await _fails_with(
        stage.writer(change_settings(stage.settings(), kafka=kafka)), 4, "localhost:1", "kafka.bootstrap_servers"
    )


async def test_a_kafka_that_is_not_trusted_is_code_4(local_kafka: LocalKafka, stage: Stage) -> None:
    kafka = {**local_kafka.settings_block(TLS), "tls": {}}
    words = ("localhost:", "unable to get local issuer certificate", "correct kafka.tls.ca_file")
    await _fails_with(stage.writer(change_settings(stage.settings(), kafka=kafka)), 4, *words)


async def test_missing_topics_are_code_5(stage: Stage) -> None:
    writer = stage.writer(change_settings(stage.settings(), topic_prefix="elsewhere."))
    await _fails_with(writer, 5, "elsewhere.crm.records", "sluice topics create crm")


async def test_unequal_topics_are_code_5(kafka: RunningKafka, prefix: str, tmp_path: Path, stage: Stage) -> None:
    odd = f"odd-{prefix}"
    topics = crm_connection(kafka, odd).topics("crm")
    await create_topics(kafka.bootstrap_servers, topics.all[1:], partitions=2)
    await create_topics(kafka.bootstrap_servers, [topics.records], partitions=3)
    await _fails_with(
        stage.writer(change_settings(stage.settings(), topic_prefix=odd)), 5, "crm.records has 3", "has 2"
    )


async def test_an_address_that_is_no_vendor_makes_a_writer_unready_and_costs_no_record(stage: Stage) -> None:
    stage.app.faults.add(Status(status=404, method="PUT", times=None))
    sources = await stage.publish([record("kept")])
    writer = stage.writer(stage.settings())
    await writer.shows(lambda status: "404" in str(status["not_ready_because"]))
    assert "check `url`" in (await writer.status())["not_ready_because"]
    assert await stage.receipts() == []
    stage.app.faults.clear()
    assert len(await stage.settled(sources)) == 1
    await writer.owns(2)


async def test_a_proxy_that_answers_for_a_vendor_that_is_away_ends_no_writer(stage: Stage) -> None:
    writer = stage.writer(stage.settings(delivery={"misconfigured_after_s": 2.0}))
    await stage.settled(await stage.publish([record("before")]))
    stage.app.faults.add(Status(status=405, method="PUT", times=None))
    sources = await stage.publish([record("during")])
    await writer.shows(lambda status: status["held_because"] == "misconfigured")
    assert (await writer.status())["ready"]
    await writer.shows(lambda status: not status["ready"])
    stage.app.faults.clear()
    assert len(await stage.settled(sources)) == 1
    await writer.owns(2)


async def test_a_header_name_that_is_no_text_is_code_5_and_loses_nothing(stage: Stage) -> None:
    servers, records = stage.connection.kafka.bootstrap_servers, stage.topics.records
    await stage.publish([record("before")._replace(partition=0)])
    await publish_with_header_name(servers, records, 0, b"\xff\xfe\xfd\xfc")
    words = ("UTF-8", r"\xff\xfe\xfd\xfc", f"{records} 0/1 to 2", "--reset-offsets")
    await _fails_with(stage.writer(stage.settings()), 5, *words)
    await _fails_with(stage.writer(stage.settings()), 5, *words)
