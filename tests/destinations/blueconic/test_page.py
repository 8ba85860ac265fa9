"""What docs/blueconic.md says of BlueConic alone: its limits, its states, what may be repeated."""

import json
from typing import get_args

import pytest

from sluice.destinations.blueconic.destination import LIMITS
from sluice.destinations.blueconic.entry_fields import MARK, PROFILE_FIELDS
from sluice.destinations.blueconic.recovery import MAX_READS
from sluice.destinations.blueconic.results import EVENT_FATES, EXISTED, FATES, MEANINGS
from sluice.destinations.blueconic.rules import NESTED_RULES, RESTRICTIONS, RULES
from sluice.events import Operation
from tests.destinations.blueconic.offline import ENTRIES
from tests.support.factories import record
from tests.test_vendor_pages import PAGES

[PAGE] = [page for page in PAGES if page.name == "blueconic"]


def test_its_limits_are_those_of_the_kind() -> None:
    for row in (
        f"| entries of a request | {LIMITS.max_items:,} |",
        f"| bytes of a request | {LIMITS.max_bytes:,} |",
        f"| requests of one writer at once | {LIMITS.max_concurrent} |",
        f"| look-ups at once | {MAX_READS} |",
        f"| age of a window | {LIMITS.max_age_s:g} s |",
    ):
        assert row in PAGE.text


def test_it_names_every_state_rule_and_field() -> None:
    states = {*FATES, *EVENT_FATES, *MEANINGS, "REJECTED", EXISTED}
    fields = {f"{MARK}{name}" for name in (*PROFILE_FIELDS, "source")}
    assert [name for name in states | fields if f"`{name}`" not in PAGE.text] == []
    assert [
        name for name in (*RULES, *NESTED_RULES) if f'{{"{name}": ' not in PAGE.text and f"`{name}`" not in PAGE.text
    ] == []
    assert [name for name in RESTRICTIONS[1:] if name not in PAGE.text] == []


def test_its_events_show_every_operation_and_object() -> None:
    events = [json.loads(line) for line in PAGE.events]
    assert {event["operation"] for event in events} == set(get_args(Operation)) - {"hardDelete"}
    assert {event["object"].partition("/")[0] for event in events} == {"group", "profile", "timeline"}


ALTERNATIVES = [{"email": "x"}, {"crm_id": "1"}]


@pytest.mark.parametrize(
    ("operation", "key", "data", "replay_safe"),
    [
        pytest.param("upsert", "p-1", {"a": 1, "b": {"add": 1}, "c": {"remove": 1}}, True, id="other rules"),
        pytest.param("upsert", "p-1", {"n": {"increment": 1}}, False, id="increment"),
        pytest.param("insert", {"email": "x"}, {"n": {"increment": 1}}, True, id="inserted profile"),
        pytest.param("upsert", {"email": "x"}, {"email": "y"}, False, id="another name"),
        pytest.param("delete", {"email": "x"}, {}, True, id="delete by one mapping"),
        pytest.param("delete", ALTERNATIVES, {}, False, id="delete by alternatives"),
    ],
)
def test_what_may_be_repeated_is_as_it_says(operation: Operation, key: object, data: object, replay_safe: bool) -> None:
    encoded = ENTRIES.encode(record("profile", operation, key, data), "0-0")  # type: ignore[arg-type]
    assert encoded.replay_safe == replay_safe
