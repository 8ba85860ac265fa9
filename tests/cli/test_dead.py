"""``sluice dead``: counts, lists, shows and redrives dead letters."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from sluice.cli.dead.text import record_lines
from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from sluice.flow.outcome import Fate
from sluice.writer.lanes.receipt_messages import Failure
from tests.cli.conftest import Run, failure, records, success
from tests.support.letters import LOST, UNKNOWN_FIELD, Letter, bury, deliver

OTHER_FIELD = UNKNOWN_FIELD._replace(message='field "adress" of c-18 is unknown')
POISON = Failure(Fate.REJECTED, "not-a-record-event", "expected a RecordEvent as JSON")
LETTERS = [
    Letter("a", data={"nmae": "Acme"}),
    Letter("b", OTHER_FIELD, data={"nmae": "Bolt", "n": 1.1}),
    Letter("c", LOST, partition=1, object_="profile"),
    Letter("d", POISON, partition=1, value=b"\x00\xffbytes"),
]


@pytest.fixture
def dead(crm: Connection) -> Connection:
    """Write two letters of one reason, one of unknown outcome, and one that is no record event."""
    asyncio.run(bury(crm, LETTERS))
    return crm


def test_count_shows_the_most_frequent_reason_first(dead: Connection, run: Run) -> None:
    first, _, heading, *lines = success(run("dead", "count", "crm")).splitlines()
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


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        pytest.param((), "a b c", id="all"),
        pytest.param(("--code", "UNKNOWN_FIELD", "--key", "b"), "b", id="code and key"),
        pytest.param(("--class", "ambiguous"), "c", id="class"),
        pytest.param(("--object", "profile", "--object", "group/company"), "a b c", id="two objects"),
        pytest.param(("--since", "10m", "--until", "now"), "a b c", id="time"),
        pytest.param(("--until", "1h"), "", id="until an hour ago"),
        pytest.param(("--since", "1969-01-01"), "a b c", id="since before 1970"),
        pytest.param(("--job", "nightly"), "", id="job"),
        pytest.param(("--batch", "b-1", "--key", "a"), "a", id="batch"),
    ],
)
def test_options_select(dead: Connection, run: Run, options: tuple[str, ...], keys: str) -> None:
    letters = map(json.loads, success(run("dead", "ls", "crm", "--json", *options)).splitlines())
    assert sorted(letter["event"]["key"] for letter in letters if "event" in letter) == keys.split()


def test_nothing_selected_is_said(dead: Connection, run: Run) -> None:
    for command in (("count", "crm"), ("ls", "crm"), ("redrive", "crm", "--yes")):
        output = success(run("dead", *command, "--code", "NONE"))
        assert output.startswith("no dead letter of crm is selected")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(("--since", "1h", "--until", "2h"), "is not before --until", id="time"),
        pytest.param(("--class", "odd"), "'odd' is not one of", id="class"),
        pytest.param(("--set", "name"), "expected field=value, got 'name'", id="set"),
        pytest.param(("--drop", "a..b"), "expected names of fields", id="drop"),
        pytest.param(("--force", "--drop", "a"), "leave --set, --drop and --map out", id="force and edit"),
    ],
)
def test_unusable_options_are_one_sentence(settings: Path, run: Run, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in failure(run("dead", "redrive", "crm", *options), Exit.USAGE)


def test_redrive_shows_what_it_would_do(dead: Connection, run: Run) -> None:
    command = ("dead", "redrive", "crm", "--code", "UNKNOWN_FIELD", "--drop", "nmae", "--set", "name=Acme Ltd")
    output = success(run(*command))
    assert '-    "nmae": "Acme"\n+    "name": "Acme Ltd"\n' in output
    assert output.endswith("2 dead letters of crm would be redriven; nothing was sent: --yes sends them\n")
    assert records(dead) == []


def test_redrive_sends_and_is_not_repeated(dead: Connection, run: Run) -> None:
    command = ("dead", "redrive", "crm", "--code", "UNKNOWN_FIELD", "--yes", "--rate", "100")
    assert run(*command).stdout == "2 dead letters of crm were redriven\n"
    assert run(*command).stdout == "2 left: they were redriven before\n0 dead letters of crm were redriven\n"
    assert len(records(dead)) == 2
    assert "2 more were redriven; --all shows them, too" in run("dead", "count", "crm").stdout


def test_what_cannot_be_redriven_is_named(dead: Connection, run: Run) -> None:
    result = run("dead", "redrive", "crm", "--yes")
    assert result.exit_code == Exit.SOME_FAILED
    assert "1 cannot be redriven:\n  1/1: expected a RecordEvent as JSON" in result.stdout
    success(run("dead", "redrive", "crm", "--yes", "--force"))
    assert b"\x00\xffbytes" in records(dead)


def test_map_is_a_command(dead: Connection, run: Run) -> None:
    success(run("dead", "redrive", "crm", "--object", "group/company", "--map", "sed s/nmae/name/", "--yes"))
    assert [b'"name"' in value for value in records(dead)] == [True, True]


def test_command_that_fails_ends_it_with_one_sentence(dead: Connection, run: Run) -> None:
    sentence = failure(run("dead", "redrive", "crm", "--map", "exit 3", "--yes"), Exit.USAGE)
    assert "'exit 3' ended with exit code 3" in sentence
    assert records(dead) == []


def test_show_prints_the_record_and_its_story(dead: Connection, run: Run) -> None:
    facts, _, record = success(run("dead", "show", "crm", "0/1")).partition("\n\n")
    found = {line[:20].strip(): line[20:].strip() for line in facts.splitlines()}
    assert found["code"] == "UNKNOWN_FIELD"
    assert found["message"] == 'field "adress" of c-18 is unknown'
    assert (found["http status"], found["attempts"], found["batch"]) == ("200", "3", "b-1")
    assert found["published at"] == f"{dead.topics('crm').records} 0/7"
    assert found["trace"] == "0af7651916cd43dd8448eb211c80319c"
    assert found["redriven"] == "not before, and not since"
    assert '"n": 1.1' in record


def test_show_finds_an_event_and_dumps_what_is_no_json(dead: Connection, run: Run) -> None:
    assert "lost-answer" in run("dead", "show", "crm", "e-c").stdout
    assert "00000000  00 ff 62 79 74 65 73" in run("dead", "show", "crm", "1/1").stdout


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        pytest.param(None, ["null"], id="null"),
        pytest.param(b'{"n":1.10}', ["{", '  "n": 1.10', "}"], id="JSON"),
        pytest.param(b"\x00\xffbytes", ["00000000  00 ff 62 79 74 65 73" + " " * 29 + "..bytes"], id="other bytes"),
    ],
)
def test_record_is_json_or_a_hex_dump(value: bytes | None, lines: list[str]) -> None:
    assert list(record_lines(value)) == lines


@pytest.mark.parametrize(
    ("letter", "sentence"),
    [
        pytest.param("0/99", "no dead letter at 0/99", id="offset"),
        pytest.param("7/0", "expected a partition below 3", id="partition"),
        pytest.param("e-none", "no dead letter of the event 'e-none'", id="event"),
    ],
)
def test_letter_that_is_not_there_is_one_sentence(dead: Connection, run: Run, letter: str, sentence: str) -> None:
    assert sentence in failure(run("dead", "show", "crm", letter), Exit.USAGE)


def test_show_tells_what_became_of_a_redriven_record(crm: Connection, run: Run) -> None:
    good, bad, waiting = Letter("good"), Letter("bad", source_offset=8), Letter("waiting", source_offset=9)
    asyncio.run(bury(crm, [good, bad, waiting]))
    success(run("dead", "redrive", "crm", "--yes"))
    asyncio.run(deliver(crm, good))
    asyncio.run(bury(crm, [bad._replace(redrives=1)]))
    assert re.search(r"later outcome +delivered .*: CREATED", run("dead", "show", "crm", "0/0").stdout)
    dead_again = r"later outcome +dead letter 0/3, .*, UNKNOWN_FIELD: field"
    assert re.search(dead_again, run("dead", "show", "crm", "0/1").stdout)
    assert "and since; no receipt yet among 1 looked through" in run("dead", "show", "crm", "0/2").stdout
    again = run("dead", "show", "crm", "e-bad").stdout
    assert re.search(r"redriven +1 time before, and not since", again)
    assert re.search(r"earlier outcome +dead letter 0/1", again)
