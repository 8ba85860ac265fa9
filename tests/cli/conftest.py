"""The command line in an empty directory, with a settings file for the test's own topics."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sluice.cli.__main__ import sluice
from sluice.cli.exits import Exit
from sluice.cli.publish.input_file import InputFile
from sluice.client.connection import Connection
from tests.support.kafka_admin import RunningKafka
from tests.support.letters import read_records
from tests.support.topics import crm_topics

Run = Callable[..., Result]

SETTINGS = """\
kafka: {{bootstrap_servers: "{servers}"}}
topic_prefix: "{prefix}"
destinations:
  crm: {{to: {{kind: blueconic, url: "http://localhost:1", client_id: me, client_secret: "${{env:CRM_SECRET}}"}}}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``sluice`` with the arguments given, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(sluice, arguments, input=stdin, env=env)

    return invoke


def success(result: Result) -> str:
    """Return the standard output of a command; check that it ended without an error."""
    assert result.exit_code == Exit.OK, result.output
    return result.stdout


def failure(result: Result, code: Exit) -> str:
    """Return the sentence with which a command ended, on standard error; check its exit code."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def opened(content: bytes) -> InputFile:
    """Return a file that is open for reading."""
    stream = io.BufferedReader(io.BytesIO(content))
    return InputFile("a.file", stream, len(content), stream)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Write a settings file with a Kafka that does not answer."""
    return _write(tmp_path, "localhost:1", "")


def records(connection: Connection) -> list[bytes]:
    """Return the values in the records topic of ``crm``."""
    return [record.value for record in asyncio.run(read_records(connection))]


@pytest.fixture
def crm(tmp_path: Path, kafka: RunningKafka, prefix: str, run: Run) -> Connection:
    """Write a settings file with a Kafka that has the topics of ``crm``; return the connection."""
    _write(tmp_path, kafka.bootstrap_servers, prefix)
    return asyncio.run(crm_topics(kafka, prefix))


@pytest.fixture
def no_topics(tmp_path: Path, kafka: RunningKafka, prefix: str) -> str:
    """Write a settings file with a Kafka that has no topic of ``crm``; return the prefix of topics."""
    _write(tmp_path, kafka.bootstrap_servers, prefix)
    return prefix


def _write(directory: Path, servers: str, prefix: str) -> Path:
    path = directory / "sluice.yaml"
    path.write_text(SETTINGS.format(servers=servers, prefix=prefix))
    return path
