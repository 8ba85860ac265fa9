"""``sluice dead show``."""

import asyncio
import re

import pytest

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run, failure
from tests.support.letters import Letter, bury, deliver


def test_show_prints_the_record_and_its_story(dead: Connection, run: Run) -> None:
    result = run("dead", "show", "crm", "0/1")
    assert result.exit_code == Exit.OK, result.output
    facts, _, record = result.stdout.partition("\n\n")
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
    assert run("dead", "redrive", "crm", "--yes").exit_code == Exit.OK
    asyncio.run(deliver(crm, good))
    asyncio.run(bury(crm, [bad._replace(redrives=1)]))
    assert re.search(r"later outcome +delivered .*: CREATED", run("dead", "show", "crm", "0/0").stdout)
    assert re.search(
        r"later outcome +dead letter 0/3, .*, UNKNOWN_FIELD: field", run("dead", "show", "crm", "0/1").stdout
    )
    assert "and since; no receipt yet among 1 looked through" in run("dead", "show", "crm", "0/2").stdout
    again = run("dead", "show", "crm", "e-bad").stdout
    assert re.search(r"redriven +1 time before, and not since", again)
    assert re.search(r"earlier outcome +dead letter 0/1", again)
