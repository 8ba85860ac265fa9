"""``sluice guard``."""

import asyncio
import getpass
import json

import pytest

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from sluice.kafka.control_topic import read_guard, set_guard
from tests.cli.conftest import Run, failure, success

WHY = "900 of the last 1000 records became dead letters, more than 50%"


@pytest.fixture
def stopped(crm: Connection) -> Connection:
    """Stop ``crm``, as a writer whose guard has tripped does."""
    control = crm.topics("crm").control
    asyncio.run(set_guard(crm.kafka, control, "stopped", reason=WHY, by="writer on host-1"))
    return crm


def test_guard_that_never_tripped_is_running(crm: Connection, run: Run) -> None:
    output = success(run("guard", "show", "crm"))
    assert output == "running: the flood guard of crm has never stopped anything\n"


def test_show_says_since_when_why_and_by_whom(stopped: Connection, run: Run) -> None:
    lines = run("guard", "show", "crm").stdout.splitlines()
    assert lines[0].startswith("stopped since 20")
    assert lines[1:3] == [f"why  {WHY}", "by   writer on host-1"]
    assert "sluice guard resume crm --reason TEXT" in lines[3]


def test_show_as_json_is_the_event(stopped: Connection, run: Run) -> None:
    state = json.loads(run("guard", "show", "crm", "--json").stdout)
    assert (state["guard"], state["reason"], state["by"]) == ("stopped", WHY, "writer on host-1")


def test_resume_notes_who_and_why(stopped: Connection, run: Run) -> None:
    assert WHY in success(run("guard", "resume", "crm", "--reason", "the field is back"))
    state = asyncio.run(read_guard(stopped.kafka, stopped.topics("crm").control))
    assert state is not None
    assert (state.guard, state.reason, state.by) == ("running", "the field is back", getpass.getuser())
    assert run("guard", "show", "crm").stdout.startswith("running since 20")


def test_resume_of_what_runs_changes_nothing(crm: Connection, run: Run) -> None:
    output = success(run("guard", "resume", "crm", "--reason", "why not"))
    assert "is not stopped; nothing was changed" in output
    assert asyncio.run(read_guard(crm.kafka, crm.topics("crm").control)) is None


@pytest.mark.parametrize("options", [pytest.param((), id="none"), pytest.param(("--reason", " "), id="empty")])
def test_resume_needs_a_reason(stopped: Connection, run: Run, options: tuple[str, ...]) -> None:
    assert "reason" in failure(run("guard", "resume", "crm", *options), Exit.USAGE)
