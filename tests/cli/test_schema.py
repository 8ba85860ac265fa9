"""``sluice schema`` prints what ``schemas/`` holds."""

import json

import pytest

from sluice.events import EVENTS
from sluice.spec.json_schemas import event_name
from tests.cli.conftest import Run
from tests.support.paths import SCHEMAS


def test_schema_of_the_settings_is_printed(run: Run) -> None:
    assert run("schema", "settings").stdout == (SCHEMAS / "settings.schema.json").read_text()


@pytest.mark.parametrize("name", [event_name(event) for event in EVENTS])
def test_schema_of_an_event_is_printed(run: Run, name: str) -> None:
    assert run("schema", "events", name).stdout == (SCHEMAS / f"{name}.schema.json").read_text()


def test_schemas_of_all_events_are_printed_by_name(run: Run) -> None:
    assert set(json.loads(run("schema", "events").stdout)) == {event_name(event) for event in EVENTS}
