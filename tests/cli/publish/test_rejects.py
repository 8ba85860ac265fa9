"""Rejected rows: their file, with lines and reasons."""

from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run, failure
from tests.cli.publish.files import KEYED, publish, published, rejects


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


@pytest.mark.parametrize(
    ("rejects_file", "sentence"),
    [
        pytest.param("no/such/directory", "no such directory; name another file with --rejects", id="nowhere"),
        pytest.param("a.csv", "a.csv is the file to publish; name another file", id="the file itself"),
    ],
)
def test_rejects_that_cannot_be_written_are_one_sentence(
    settings: Path, run: Run, rejects_file: str, sentence: str
) -> None:
    assert sentence in failure(publish(run, "a.csv", "id\n1,2\n", *KEYED, "--rejects", rejects_file), Exit.USAGE)
    assert Path("a.csv").read_text() == "id\n1,2\n"
