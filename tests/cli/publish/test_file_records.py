"""Rows of files as record events."""

import json
from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run, failure
from tests.cli.publish.files import COMPANIES, KEYED, publish, published, rejects


def test_rows_of_csv_become_events(crm: Connection, run: Run) -> None:
    result = publish(run, "companies.csv", COMPANIES, *KEYED, "--job-id", "nightly")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("published 2 records in ")
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


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param("a.json", b'[{"a"', "expected a JSON value", id="broken array"),
        pytest.param("a.csv", b"id\n1\n", "expected record events as JSON", id="CSV as events"),
    ],
)
def test_file_without_events_is_one_sentence_before_kafka_is_asked(
    settings: Path, run: Run, name: str, content: bytes, sentence: str
) -> None:
    assert sentence in failure(publish(run, name, content, "--events"), Exit.USAGE)
