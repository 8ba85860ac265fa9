"""``sluice dead count`` and ``ls``."""

import json

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run


def test_count_shows_the_most_frequent_reason_first(dead: Connection, run: Run) -> None:
    result = run("dead", "count", "crm")
    assert result.exit_code == Exit.OK, result.output
    first, _, heading, *lines = result.stdout.splitlines()
    assert first == "4 dead letters of crm, 3 reasons"
    assert heading.split() == ["letters", "class", "code", "for", "example", "message"]
    assert lines[0].split(maxsplit=4)[:3] == ["2", "rejected", "UNKNOWN_FIELD"]
    assert lines[0].endswith('field "…" of # is unknown')
    assert [line.split() for line in lines[4:]] == [
        ["letters", "object"],
        ["2", "group/company"],
        ["1", "profile"],
        ["1", "(no", "record", "event)"],
    ]


def test_count_as_json_is_a_line_for_each_reason(dead: Connection, run: Run) -> None:
    lines = [json.loads(line) for line in run("dead", "count", "crm", "--json").stdout.splitlines()]
    assert [line["letters"] for line in lines] == [2, 1, 1]
    assert lines[0] == {
        "letters": 2,
        "error_class": "rejected",
        "code": "UNKNOWN_FIELD",
        "message": 'field "…" of # is unknown',
        "example": "0/0",
    }


def test_ls_shows_reasons_and_then_the_newest(dead: Connection, run: Run) -> None:
    lines = run("dead", "ls", "crm", "--limit", "1").stdout.splitlines()
    assert lines[0] == "4 dead letters of crm, 3 reasons"
    assert lines[-2] == ""
    assert lines[-1].startswith("1/1 ")
    assert lines[-1].endswith("not-a-record-event   expected a RecordEvent as JSON")


def test_nothing_selected_is_said(dead: Connection, run: Run) -> None:
    for command in (("count", "crm"), ("ls", "crm"), ("redrive", "crm", "--yes")):
        result = run("dead", *command, "--code", "NONE")
        assert result.exit_code == Exit.OK, result.output
        assert result.stdout.startswith("no dead letter of crm is selected")
