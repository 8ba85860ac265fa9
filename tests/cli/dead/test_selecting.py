"""The options that select dead letters."""

import json
from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run, failure


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
    result = run("dead", "ls", "crm", "--json", *options)
    assert result.exit_code == Exit.OK, result.output
    letters = map(json.loads, result.stdout.splitlines())
    assert sorted(letter["event"]["key"] for letter in letters if "event" in letter) == keys.split()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(("--since", "1h", "--until", "2h"), "is not before --until", id="time"),
        pytest.param(("--class", "odd"), "'odd' is not one of", id="class"),
    ],
)
def test_unusable_selection_is_one_sentence(settings: Path, run: Run, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in failure(run("dead", "redrive", "crm", *options), Exit.USAGE)
