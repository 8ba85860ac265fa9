"""``sluice dead redrive``."""

from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run, failure
from tests.cli.dead.conftest import records


def test_redrive_shows_what_it_would_do(dead: Connection, run: Run) -> None:
    result = run("dead", "redrive", "crm", "--code", "UNKNOWN_FIELD", "--drop", "nmae", "--set", "name=Acme Ltd")
    assert result.exit_code == Exit.OK, result.output
    assert '-    "nmae": "Acme"\n+    "name": "Acme Ltd"\n' in result.stdout
    assert result.stdout.endswith("2 dead letters of crm would be redriven; nothing was sent: --yes sends them\n")
    assert records(dead) == []


def test_redrive_sends_and_is_not_repeated(dead: Connection, run: Run) -> None:
    command = ("dead", "redrive", "crm", "--code", "UNKNOWN_FIELD", "--yes", "--rate", "100")
    assert run(*command).stdout == "2 dead letters of crm were redriven\n"
    assert run(*command).stdout == ("2 left: they were redriven before\n0 dead letters of crm were redriven\n")
    assert len(records(dead)) == 2
    assert "2 more were redriven; --all shows them, too" in run("dead", "count", "crm").stdout


def test_what_cannot_be_redriven_is_named(dead: Connection, run: Run) -> None:
    result = run("dead", "redrive", "crm", "--yes")
    assert result.exit_code == Exit.SOME_FAILED
    assert "1 cannot be redriven:\n  1/1: expected a RecordEvent as JSON" in result.stdout
    forced = run("dead", "redrive", "crm", "--yes", "--force")
    assert forced.exit_code == Exit.OK, forced.output
    assert b"\x00\xffbytes" in records(dead)


def test_map_is_a_command(dead: Connection, run: Run) -> None:
    result = run("dead", "redrive", "crm", "--object", "group/company", "--map", "sed s/nmae/name/", "--yes")
    assert result.exit_code == Exit.OK, result.output
    assert [b'"name"' in value for value in records(dead)] == [True, True]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(("--set", "name"), "expected field=value, got 'name'", id="set"),
        pytest.param(("--drop", "a..b"), "expected names of fields", id="drop"),
        pytest.param(("--force", "--drop", "a"), "leave --set, --drop and --map out", id="force and edit"),
    ],
)
def test_unusable_options_are_one_sentence(settings: Path, run: Run, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in failure(run("dead", "redrive", "crm", *options), Exit.USAGE)


def test_command_that_fails_ends_it_with_one_sentence(dead: Connection, run: Run) -> None:
    result = run("dead", "redrive", "crm", "--map", "exit 3", "--yes")
    assert result.exit_code == Exit.USAGE
    assert "'exit 3' ended with exit code 3" in result.stderr
    assert records(dead) == []
