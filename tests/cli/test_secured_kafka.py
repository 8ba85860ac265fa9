"""The commands over TLS and SASL; a Kafka that refuses them is one sentence and nothing else."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from sluice.kafka.settings import KafkaSettings
from tests.cli.conftest import Run, failure, success
from tests.support.letters import UNKNOWN_FIELD, Letter, bury
from tests.support.secured import MUTUAL_TLS, SHORT_LIVED, TLS

VENDOR = {"kind": "blueconic", "url": "http://localhost:1", "client_id": "me", "client_secret": "s"}


def write_settings(kafka: dict[str, Any], prefix: str) -> None:
    """Write a settings file into the working directory."""
    whole = {"kafka": kafka, "topic_prefix": prefix, "destinations": {"crm": {"to": VENDOR}}}
    Path("sluice.yaml").write_text(json.dumps(whole))


@pytest.mark.parametrize("security", [pytest.param(one, id=one.name) for one in (MUTUAL_TLS, SHORT_LIVED)])
def test_commands_work(local_kafka: LocalKafka, security: Security, prefix: str, run: Run) -> None:
    write_settings(local_kafka.settings_block(security), prefix)
    success(run("topics", "create", "crm", "--partitions", "1"))
    Path("a.csv").write_text("id\n1\n2\n")
    success(run("publish", "crm", "a.csv", "--object", "group/company", "--key", "id"))
    plain = KafkaSettings(bootstrap_servers=local_kafka.bootstrap_servers)
    asyncio.run(bury(Connection(kafka=plain, topic_prefix=prefix), [Letter("a", UNKNOWN_FIELD, data={})]))
    assert "UNKNOWN_FIELD" in success(run("dead", "ls", "crm"))
    assert "✓ Kafka: 1 broker" in run("check").stdout


@pytest.mark.parametrize("command", ["check", "topics ls crm"])
def test_a_file_that_is_missing_is_code_3(command: str, run: Run) -> None:
    write_settings({"bootstrap_servers": "localhost:1", "tls": {"ca_file": "/nonexistent/ca.pem"}}, "")
    assert "kafka.tls.ca_file: cannot read /nonexistent/ca.pem" in failure(run(*command.split()), Exit.SETTINGS)


def test_a_refusal_is_code_4_and_one_line(local_kafka: LocalKafka, run: Run) -> None:
    write_settings({**local_kafka.settings_block(TLS), "tls": {}}, "")
    command = [sys.executable, "-m", "sluice.cli", "topics", "ls", "crm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (Exit.KAFKA, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: Kafka cannot be reached at localhost:")
    assert "correct kafka.tls.ca_file" in line
