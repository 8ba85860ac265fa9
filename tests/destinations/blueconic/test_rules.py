"""Rules for a record's properties, and for those of a timeline event. blueconic.md §3 to §5."""

from typing import Any

import msgspec
import pytest

from sluice.destinations.contract import Rejection
from sluice.events import RecordEvent
from tests.destinations.blueconic.offline import ENTRIES, entry, rejection, with_settings
from tests.support.factories import record

WITH_DATES = with_settings(date_properties=("born",))


def event_of(data: object) -> RecordEvent:
    return record("timeline/o", "insert", data=data)


def rules(data: object, object_: str = "group/company") -> list[dict[str, Any]]:
    properties: list[dict[str, Any]] = entry(record(object_, data=data))["properties"]
    return properties


@pytest.mark.parametrize(
    ("value", "values"),
    [
        pytest.param("Acme", ["Acme"], id="a string"),
        pytest.param('"quoted" \\ \n é 😀 \x00', ['"quoted" \\ \n é 😀 \x00'], id="a string that needs escapes"),
        pytest.param("", [""], id="an empty string"),
        pytest.param(42, ["42"], id="an integer"),
        pytest.param(10**30, [str(10**30)], id="an integer beyond 64 bits"),
        pytest.param(True, ["true"], id="true"),
        pytest.param(False, ["false"], id="false"),
        pytest.param(None, [], id="null clears"),
        pytest.param([], [], id="an empty list clears"),
        pytest.param(["a", 1, True], ["a", "1", "true"], id="a list"),
    ],
)
def test_values_are_sent_as_strings(value: object, values: list[str]) -> None:
    assert rules({"p": value}) == [{"id": "p", "values": values, "strategy": "SET"}]


@pytest.mark.parametrize("digits", ["1.50", "-0.0", "1e3", "1E+400", "0.1000000000000000055511151231257827"])
def test_a_number_keeps_its_digits(digits: str) -> None:
    event = msgspec.structs.replace(record(), data=msgspec.Raw(b'{"p":' + digits.encode() + b"}"))
    assert entry(event)["properties"] == [{"id": "p", "values": [digits], "strategy": "SET"}]


@pytest.mark.parametrize(
    ("rule", "values", "strategy"),
    [
        pytest.param({"set": "a"}, ["a"], "SET", id="set"),
        pytest.param({"set": None}, [], "SET", id="set to nothing"),
        pytest.param({"add": "a"}, ["a"], "ADD", id="add"),
        pytest.param({"add": ["a", 2]}, ["a", "2"], "ADD", id="add several"),
        pytest.param({"remove": "a"}, ["a"], "REMOVE", id="remove"),
        pytest.param({"set_if_empty": "a"}, ["a"], "SET_IF_EMPTY", id="set if empty"),
        pytest.param({"increment": 1}, ["1"], "INCREMENT", id="increment"),
        pytest.param({"increment": -2.50}, ["-2.5"], "INCREMENT", id="decrement by a fraction"),
        pytest.param({"increment": "3"}, ["3"], "INCREMENT", id="increment by a number as text"),
    ],
)
def test_a_rule_is_picked_by_its_name(rule: object, values: list[str], strategy: str) -> None:
    assert rules({"p": rule}) == [{"id": "p", "values": values, "strategy": strategy}]


@pytest.mark.parametrize(
    ("data", "replay_safe"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({"a": 1, "b": {"add": 1}, "c": {"remove": 1}, "d": {"set_if_empty": 1}}, True, id="the others"),
        pytest.param({"a": 1, "b": {"increment": 1}, "c": 2}, False, id="an increment among others"),
    ],
)
def test_only_an_increment_is_not_safe_to_repeat(data: object, replay_safe: bool) -> None:
    assert ENTRIES.encode(record(data=data), "0-7").replay_safe == replay_safe
    assert ENTRIES.encode(record(operation="delete", data=data), "0-7").replay_safe


def test_a_profiles_rule_may_name_a_restriction() -> None:
    rule = {"restriction": "EXISTING_PROFILES_ONLY"}
    sent = rules({"n": {"set": 1, **rule}}, "profile")
    assert sent == [{"id": "n", "values": ["1"], "strategy": "SET", **rule}]


@pytest.mark.parametrize(
    ("value", "values", "strategy"),
    [
        pytest.param("a", ["a"], "SET", id="a string"),
        pytest.param(2, [2], "SET", id="a number stays one"),
        pytest.param(True, [True], "SET", id="a boolean stays one"),
        pytest.param(None, [], "SET", id="null clears"),
        pytest.param([1, 2], [1, 2], "SET", id="a list"),
        pytest.param({"add": [1, 2]}, [1, 2], "ADD", id="add"),
        pytest.param({"set_if_empty": 1}, [1], "SET_IF_EMPTY", id="set if empty"),
        pytest.param({"id": "P-5"}, [[{"id": "id", "values": ["P-5"]}]], "SET", id="an object"),
        pytest.param(
            [{"id": "P-5", "tags": ["a", "b"]}, {"id": "P-6"}],
            [
                [{"id": "id", "values": ["P-5"]}, {"id": "tags", "values": ["a", "b"]}],
                [{"id": "id", "values": ["P-6"]}],
            ],
            "SET",
            id="several objects",
        ),
        pytest.param({"upsert": {"id": "P-5"}}, [[{"id": "id", "values": ["P-5"]}]], "UPSERT", id="an object's rule"),
        pytest.param({"delete": [{"id": "P-5"}]}, [[{"id": "id", "values": ["P-5"]}]], "DELETE", id="objects' rule"),
    ],
)
def test_an_events_values_keep_their_type_and_may_nest(value: object, values: object, strategy: str) -> None:
    (event,) = entry(record("timeline/order", "insert", "p-1", {"p": value}))["timeline"]
    assert event["data"] == [{"id": "p", "values": values, "strategy": strategy}]


@pytest.mark.parametrize(
    ("event", "code", "words"),
    [
        pytest.param(record("profile", key={"e mail": "x"}), "bad-property", "'e mail'", id="found by a bad property"),
        pytest.param(record(data=[1]), "bad-data", "Expected `object`, got `array`", id="data is a list"),
        pytest.param(record(data={"a b": 1}), "bad-property", "letters, digits, - and _, got 'a b'", id="bad property"),
        pytest.param(record(data={"": 1}), "bad-property", "got ''", id="nameless property"),
        pytest.param(record(data={"address": {"street": "x"}}), "bad-value", "property 'address'", id="an object"),
        pytest.param(record(data={"a": {}}), "bad-value", "one rule of `set`", id="an empty object"),
        pytest.param(record(data={"a": {"set": 1, "add": 2}}), "bad-value", "one rule", id="two rules"),
        pytest.param(record(data={"a": [[1]]}), "bad-value", "got a list of 1", id="a list in a list"),
        pytest.param(record(data={"a": [{"add": 1}]}), "bad-value", "got an object", id="a rule in a list"),
        pytest.param(record(data={"a": [None]}), "bad-value", "got null", id="null in a list"),
        pytest.param(record(data={"a": {"add": None}}), "bad-value", "got null", id="nothing to add"),
        pytest.param(record(data={"a": {"increment": "x"}}), "bad-value", "decimal number", id="increment by a word"),
        pytest.param(record(data={"a": {"increment": True}}), "bad-value", "decimal number", id="increment by true"),
        pytest.param(record(data={"a": {"increment": [1]}}), "bad-value", "decimal number", id="increment by a list"),
        pytest.param(
            record(data={"a": {"set": 1, "restriction": "NEW_PROFILES_ONLY"}}),
            "bad-value",
            "a restriction of none here",
            id="a restriction on a group",
        ),
        pytest.param(
            record("profile", data={"a": {"set": 1, "restriction": "SOME"}}),
            "bad-value",
            "a restriction of `ALL_PROFILES`",
            id="an unknown restriction",
        ),
        pytest.param(
            record("profile", "insert", data={"a": {"set": 1, "restriction": "ALL_PROFILES"}}),
            "bad-value",
            "a restriction of `NEW_PROFILES_ONLY` here",
            id="a restriction that contradicts an insert",
        ),
        pytest.param(
            event_of({"n": {"increment": 1}}),
            "bad-value",
            "one rule of `set`, `add`, `set_if_empty`, got an object with `increment`",
            id="increment in an event",
        ),
        pytest.param(event_of({"n": {"remove": "a"}}), "bad-value", "`remove`", id="remove in an event"),
        pytest.param(event_of({"n": {"a": {"b": 1}}}), "bad-value", "'n.a'", id="nested twice in an event"),
        pytest.param(event_of({"n": [{"a": 1}, 2]}), "bad-value", "not both", id="objects and values"),
        pytest.param(event_of({"n": {"add": {"a": 1}}}), "bad-value", "`upsert`", id="add of an object"),
    ],
)
def test_a_value_that_could_never_be_taken_is_rejected(event: RecordEvent, code: str, words: str) -> None:
    error = rejection(event)
    assert error.code == code
    assert words in error.message


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":"\xff"}', id="a value that is not utf-8"),
        pytest.param(b'{"\xff":1}', id="a name that is not utf-8"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
        pytest.param(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", id="nested beyond reason"),
    ],
)
def test_data_that_cannot_be_read_is_rejected(data: bytes) -> None:
    event = msgspec.structs.replace(record(), data=msgspec.Raw(data))
    assert rejection(event).code == "bad-data"


def test_property_ids_of_groups_may_be_prefixed_with_their_type() -> None:
    entries = with_settings(property_prefix="{type}_")
    assert entry(record(data={"name": "x"}), entries)["properties"][0]["id"] == "company_name"
    assert entry(record("profile", data={"name": "x"}), entries)["properties"][0]["id"] == "name"


@pytest.mark.parametrize(
    ("value", "values"),
    [
        pytest.param("2025-01-22T11:21:33.872Z", ["1737544893872"], id="an instant"),
        pytest.param("2025-01-22T12:21:33.872+01:00", ["1737544893872"], id="with an offset"),
        pytest.param("1969-12-31T23:59:59.999Z", ["-1"], id="before 1970"),
        pytest.param({"set_if_empty": "2025-01-22T11:21:33Z"}, ["1737544893000"], id="in a rule"),
        pytest.param(["2025-01-22T11:21:33Z", "1"], ["1737544893000", "1"], id="in a list"),
        pytest.param(1737544893872, ["1737544893872"], id="milliseconds"),
        pytest.param("1737544893872", ["1737544893872"], id="milliseconds as text"),
        pytest.param(None, [], id="null clears"),
    ],
)
@pytest.mark.parametrize("object_", ["group/company", "profile"])
def test_dates_are_sent_as_epoch_milliseconds(object_: str, value: object, values: list[str]) -> None:
    made = entry(record(object_, data={"born": value, "name": "2025-01-22T11:21:33Z"}), WITH_DATES)
    first, second = made["properties"]
    assert (first["id"], first["values"]) == ("born", values)
    assert second["values"] == ["2025-01-22T11:21:33Z"]


@pytest.mark.parametrize("value", ["2025-01-22", "2025-01-22T11:21:33", "yesterday", "", {"add": "soon"}])
def test_a_date_that_names_no_instant_is_rejected(value: object) -> None:
    with pytest.raises(Rejection, match="'born': expected an instant such as"):
        WITH_DATES.encode(record(data={"born": value}), "0-7")
