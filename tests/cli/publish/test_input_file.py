"""Input files: formats, gzip, standard input, and files that cannot be used."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run, failure
from tests.cli.publish.files import COMPANIES, KEYED, publish, published


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        pytest.param("a.jsonl", b'{"id": 1, "n": 1.10}\n{"id": "2"}\n', (), id="lines"),
        pytest.param("a.json", b'[{"id": 1, "n": 1.10},\n {"id": "2"}]', (), id="array"),
        pytest.param("a.data", b'\xef\xbb\xbf{"id": 1, "n": 1.10}\n{"id": "2"}', (), id="lines by content"),
        pytest.param("a.json", b'{"id": 1, "n": 1.10}\n{"id": "2"}', (), id="lines in a .json file"),
        pytest.param("a.jsonl.gz", gzip.compress(b'{"id": 1, "n": 1.10}\n{"id": "2"}\n'), (), id="gzip"),
        pytest.param("a.bin", gzip.compress(b'[{"id": 1, "n": 1.10},{"id": "2"}]'), (), id="gzip by content"),
        pytest.param("a.txt", b'{"id": 1, "n": 1.10}\n{"id": "2"}', ("--format", "jsonl"), id="by --format"),
    ],
)
def test_rows_of_json_become_events(
    crm: Connection, run: Run, name: str, content: bytes, options: tuple[str, ...]
) -> None:
    result = publish(run, name, content, *KEYED, *options)
    assert result.exit_code == 0, result.output
    assert [(event["key"], event.get("data", {})) for event in published(crm)] == [("1", {"n": 1.1}), ("2", {})]


def test_standard_input_is_read(crm: Connection) -> None:
    command = [sys.executable, "-m", "sluice.cli", "publish", "crm", "-", *KEYED]
    done = subprocess.run(command, input=COMPANIES.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [event["key"] for event in published(crm)] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param("a.csv", b"", "a.csv is empty", id="empty"),
        pytest.param("a.csv", b"PK\x03\x04...", "got a zip archive or an Excel workbook", id="workbook"),
        pytest.param("a.csv", b"id\0name", "got binary data", id="binary"),
        pytest.param("a.csv", "id\n1".encode("utf-16"), "expected text in UTF-8, got UTF-16", id="UTF-16"),
        pytest.param("a.csv.gz", gzip.compress(b"id\n1\n" * 9)[:-9], "is damaged or cut off", id="gzip cut off"),
        pytest.param("no.csv", None, "cannot read no.csv: No such file", id="no such file"),
        pytest.param(".", None, "cannot read .: Is a directory", id="directory"),
    ],
)
def test_unusable_file_is_one_sentence_before_kafka_is_asked(
    settings: Path, run: Run, name: str, content: bytes | None, sentence: str
) -> None:
    result = run("publish", "crm", name, *KEYED) if content is None else publish(run, name, content, *KEYED)
    assert sentence in failure(result, Exit.USAGE)
