"""``sluice publish``: a file on its way to Kafka."""

import asyncio
import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run, failure, records, success
from tests.support.letters import read_records

COMPANIES = "id,name,city\n1,Acme,Berlin\n2,Initech,\n"
KEYED = ("--object", "group/company", "--key", "id")
FROM_PIPE = (sys.executable, "-m", "sluice.cli", "publish", "crm", "-", *KEYED)


def published(connection: Connection) -> list[dict[str, Any]]:
    """Return the events in the records topic of ``crm``, by their keys."""
    return sorted(map(json.loads, records(connection)), key=lambda event: str(event.get("key")))


def rejects(path: str) -> list[dict[str, Any]]:
    """Return the lines of a rejects file."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def publish(run: Run, name: str, content: str | bytes, *options: str) -> Result:
    """Write a file and publish it to ``crm``."""
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return run("publish", "crm", name, *options)


@contextmanager
def publishing_a_pipe(connection: Connection) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``sluice publish`` until one row is published; its standard input is still open."""
    command = [*FROM_PIPE, "--format", "jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"id": "first"}\n')
        process.stdin.flush()
        while not published(connection):
            assert process.poll() is None
        yield process


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(("--key", "id"), "say what the rows are at the vendor", id="no object"),
        pytest.param(("--object", "o"), "an upsert needs to know the record", id="no key"),
        pytest.param((*KEYED, "--match", "id"), "leave one of them out", id="two kinds of key"),
        pytest.param((*KEYED, "--events"), "--events publishes what FILE says", id="events and more"),
        pytest.param((*KEYED, "--delimiter", ";;"), "expected one character", id="delimiter"),
        pytest.param((*KEYED, "--operation", "upsrt"), "'upsrt' is not one of", id="operation"),
        pytest.param((*KEYED, "--rate", "0"), "is not in the range", id="rate"),
        pytest.param((*KEYED, "--rejects", "no/dir"), "no such directory; name another file with --rejects", id="path"),
        pytest.param((*KEYED, "--rejects", "a.csv"), "a.csv is the file to publish; name another file", id="same file"),
    ],
)
def test_unusable_options_are_one_sentence(settings: Path, run: Run, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in failure(publish(run, "a.csv", "id\n1,2\n", *options), Exit.USAGE)
    assert Path("a.csv").read_text() == "id\n1,2\n"


@pytest.mark.parametrize(
    ("name", "content", "options", "sentence"),
    [
        pytest.param("a.csv", b"", KEYED, "a.csv is empty", id="empty"),
        pytest.param("a.csv", b"PK\x03\x04...", KEYED, "got a zip archive or an Excel workbook", id="workbook"),
        pytest.param("a.csv", b"id\0name", KEYED, "got binary data", id="binary"),
        pytest.param("a.csv", "id\n1".encode("utf-16"), KEYED, "expected text in UTF-8, got UTF-16", id="UTF-16"),
        pytest.param("a.csv.gz", gzip.compress(b"id\n1\n" * 9)[:-9], KEYED, "is damaged or cut off", id="gzip cut off"),
        pytest.param("no.csv", None, KEYED, "cannot read no.csv: No such file", id="no such file"),
        pytest.param(".", None, KEYED, "cannot read .: Is a directory", id="directory"),
        pytest.param("a.csv", b"idd,name\n1,x\n", KEYED, "no column `id`; did you mean `idd`?", id="nearest column"),
        pytest.param("a.csv", b"x,y\n1,x\n", KEYED, "no column `id`; there are `x`, `y`", id="no near column"),
        pytest.param("a.csv", b"id;name\n1;x\n", KEYED, "if ';' separates the columns, say so", id="semicolons"),
        pytest.param("a.json", b'[{"a"', ("--events",), "expected a JSON value", id="broken array of events"),
        pytest.param("a.csv", b"id\n1\n", ("--events",), "expected record events as JSON", id="CSV as events"),
    ],
)
def test_unusable_file_is_one_sentence_before_kafka_is_asked(
    settings: Path, run: Run, name: str, content: bytes | None, options: tuple[str, ...], sentence: str
) -> None:
    result = run("publish", "crm", name, *options) if content is None else publish(run, name, content, *options)
    assert sentence in failure(result, Exit.USAGE)


def test_rows_of_csv_become_events(crm: Connection, run: Run) -> None:
    output = success(publish(run, "companies.csv", COMPANIES, *KEYED, "--job-id", "nightly"))
    assert output.startswith("published 2 records in ")
    first, second = published(crm)
    assert {name: first[name] for name in ("object", "operation", "key", "data", "job_id")} == {
        "object": "group/company",
        "operation": "upsert",
        "key": "1",
        "data": {"name": "Acme", "city": "Berlin"},
        "job_id": "nightly",
    }
    assert second["data"] == {"name": "Initech"}
    assert not Path("companies.csv.rejects.jsonl").exists()


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
    success(publish(run, name, content, *KEYED, *options))
    assert [(event["key"], event.get("data", {})) for event in published(crm)] == [("1", {"n": 1.1}), ("2", {})]


def test_complete_events_are_published_as_they_are(crm: Connection, run: Run) -> None:
    event = {
        "event_id": "e-1",
        "object": "profile",
        "operation": "delete",
        "key": {"email": "a@b.c"},
        "data": {"x": 1},
        "occurred_at": "2026-11-01T12:30:00Z",
    }
    result = publish(run, "events.jsonl", json.dumps(event) + '\n{"event_id": "e-2"}\n', "--events")
    assert result.exit_code == Exit.SOME_FAILED
    assert published(crm) == [event]
    (bad,) = rejects("events.jsonl.rejects.jsonl")
    assert "missing required field `object`" in bad["reason"]


def test_columns_that_identify_the_record_become_a_mapping(crm: Connection, run: Run) -> None:
    options = ("--object", "profile", "--match", "email", "--match", "country", "--keep-key")
    success(publish(run, "people.csv", "email,country,name\na@b.c,de,Ann\n", *options))
    (event,) = published(crm)
    assert event["key"] == {"email": "a@b.c", "country": "de"}
    assert event["data"] == {"email": "a@b.c", "country": "de", "name": "Ann"}


def test_inserts_need_no_key(crm: Connection, run: Run) -> None:
    success(publish(run, "a.csv", "name\nAcme\nAcme\n", "--object", "o", "--operation", "insert"))
    assert [event.get("key") for event in published(crm)] == [None, None]


def test_a_field_can_be_the_message_key(crm: Connection, run: Run) -> None:
    options = ("--object", "issue", "--operation", "insert", "--message-key", "meeting_id")
    rows = '{"meeting_id":12}\n{"meeting_id":"13"}\n{"title":"c"}\n{"meeting_id":[1]}\n'
    assert "message key 12:" in publish(run, "issues.jsonl", rows, *options, "--dry-run").stdout
    assert publish(run, "issues.jsonl", rows, *options).exit_code == Exit.SOME_FAILED
    found = asyncio.run(read_records(crm))
    assert sorted(one.key for one in found) == [b"12", b"13"]
    reasons = [bad["reason"] for bad in rejects("issues.jsonl.rejects.jsonl")]
    expected = "expected a text or a whole number in `meeting_id`, the message key, got "
    assert reasons == [f"{expected}none", f"{expected}[1]"]


def test_dry_run_shows_the_first_events_and_publishes_nothing(crm: Connection, run: Run) -> None:
    result = publish(run, "a.csv", "id\n" + "\n".join(map(str, range(8))) + "\n\n9,9\n", *KEYED, "--dry-run")
    assert result.exit_code == Exit.SOME_FAILED
    assert result.stdout.count('"event_id"') == 5
    assert "line 11: expected 1 columns, got 2" in result.stderr
    assert "would publish 8 records; rejected rows: 1; nothing was published" in result.stderr
    assert published(crm) == []
    assert not Path("a.csv.rejects.jsonl").exists()


def test_bad_rows_are_set_aside_and_the_rest_is_published(crm: Connection, run: Run) -> None:
    lines = [b"id,name", b"1,Acme", b"2", b',"Nameless"', b"3,caf\xe9", b'4,"x"y', b"5,Initech"]
    result = publish(run, "companies.csv", b"\n".join(lines), *KEYED)
    assert result.exit_code == Exit.SOME_FAILED
    assert "published 2 records" in result.stdout
    assert "rejected rows: 4, see companies.csv.rejects.jsonl" in result.stdout
    assert [event["key"] for event in published(crm)] == ["1", "5"]
    assert rejects("companies.csv.rejects.jsonl") == [
        {"line": 3, "reason": "expected 2 columns, got 1", "text": "2"},
        {"line": 4, "reason": "expected a value in the key column `id`, got none", "row": {"name": "Nameless"}},
        {
            "line": 5,
            "reason": "expected text in UTF-8, got another encoding; convert the file",
            "row": {"id": "3", "name": "caf\\xe9"},
        },
        {"line": 6, "reason": "not CSV: ',' expected after '\"'", "text": ""},
    ]


def test_bad_lines_of_json_are_set_aside(crm: Connection, run: Run) -> None:
    lines = '{"id": "1"}\nhello\n{"name": "no id"}\n{"id": [1]}\n{"id": "5"}\n'
    result = publish(run, "a.jsonl", lines, *KEYED, "--rejects", "bad.jsonl")
    assert result.exit_code == Exit.SOME_FAILED
    assert [event["key"] for event in published(crm)] == ["1", "5"]
    assert [bad["line"] for bad in rejects("bad.jsonl")] == [2, 3, 4]


def test_too_large_row_is_set_aside(crm: Connection, run: Run) -> None:
    rows = [{"id": key, "text": "x" * size} for key, size in (("small", 10), ("large", 2_000_000), ("last", 10))]
    result = publish(run, "a.jsonl", "\n".join(map(json.dumps, rows)), *KEYED)
    assert result.exit_code == Exit.SOME_FAILED
    assert [event["key"] for event in published(crm)] == ["last", "small"]
    (bad,) = rejects("a.jsonl.rejects.jsonl")
    assert bad["line"] == 2
    assert bad["reason"].startswith("expected a record of at most 1048332 bytes, got 2000")


def test_array_that_breaks_off_is_published_as_far_as_it_can_be_read(crm: Connection, run: Run) -> None:
    result = publish(run, "a.json", '[{"id": "1"}, {"id": "2"}, {"id":', *KEYED)
    assert "expected a JSON value in a.json at line 1" in failure(result, Exit.SOME_FAILED)
    assert [event["key"] for event in published(crm)] == ["1", "2"]


def test_rate_is_not_exceeded(crm: Connection, run: Run) -> None:
    result = publish(run, "a.csv", "id\n" + "\n".join(map(str, range(21))), *KEYED, "--rate", "100")
    took_s = float(result.stdout.split(" in ")[1].split(" s ")[0])
    assert took_s >= 0.2


def test_standard_input_is_read(crm: Connection) -> None:
    done = subprocess.run(FROM_PIPE, input=COMPANIES.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [event["key"] for event in published(crm)] == ["1", "2"]


def test_slow_pipe_is_published_as_it_comes(crm: Connection) -> None:
    with publishing_a_pipe(crm) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"published 1 records")


def test_interrupt_ends_with_what_was_published(crm: Connection) -> None:
    with publishing_a_pipe(crm) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == Exit.INTERRUPTED
        assert process.stdout is not None
        assert process.stdout.read().startswith(b"published 1 records")
        assert process.stderr is not None
        assert process.stderr.read() == b""
