"""Entries for groups, profiles and timeline events. blueconic.md, Mapping."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.destinations.contract import Rejection
from sluice.events import Key, Operation, RecordEvent, decode_record
from tests.destinations.blueconic.offline import ENTRIES, entry, rejection, with_settings
from tests.support.factories import record

NEW_ONLY = {"restriction": "NEW_PROFILES_ONLY"}
EXISTING_ONLY = {"n": {"set": 1, "restriction": "EXISTING_PROFILES_ONLY"}}
BY_EITHER: Key = [{"email": "x"}, {"crm": "1"}]


def order(**key: str) -> RecordEvent:
    return record("timeline/order", key={"id": "o-1", **key})


@pytest.mark.parametrize(("operation", "strategy"), [("insert", "UPSERT"), ("upsert", "UPSERT"), ("update", "UPDATE")])
def test_a_group_is_written(operation: Operation, strategy: str) -> None:
    """There is no insert-only."""
    assert entry(record(operation=operation, data={"company_name": "Acme BV"})) == {
        "groupTypeId": "company",
        "groupId": "c-1",
        "strategy": strategy,
        "properties": [{"id": "company_name", "values": ["Acme BV"], "strategy": "SET"}],
    }


def test_a_deleted_group_has_no_properties() -> None:
    assert entry(record(operation="delete", data={"company_name": "Acme BV"})) == {
        "groupTypeId": "company",
        "groupId": "c-1",
        "strategy": "DELETE",
    }


def test_a_profile_is_named_by_its_id() -> None:
    assert entry(record("profile", "update", "p-1", {"email": "j@x.test"})) == {
        "profileId": "p-1",
        "strategy": "UPDATE",
        "properties": [{"id": "email", "values": ["j@x.test"], "strategy": "SET"}],
    }


@pytest.mark.parametrize(
    ("key", "matching"),
    [
        pytest.param({"email": "j@x.test"}, [[{"id": "email", "value": "j@x.test"}]], id="one property"),
        pytest.param(
            {"crm": "1", "shop": "nl"},
            [[{"id": "crm", "value": "1"}, {"id": "shop", "value": "nl"}]],
            id="all of several properties",
        ),
        pytest.param(
            [{"email": "j@x.test"}, {"crm": "1"}],
            [[{"id": "email", "value": "j@x.test"}], [{"id": "crm", "value": "1"}]],
            id="any of several alternatives",
        ),
    ],
)
def test_a_profile_is_found_by_unique_properties(key: Key, matching: object) -> None:
    assert entry(record("profile", "update", key)) == {"matching": matching, "strategy": "UPDATE", "properties": []}
    assert entry(record("profile", "delete", key)) == {"matching": matching, "strategy": "DELETE"}


def test_an_upserted_profile_is_also_given_what_it_is_found_by() -> None:
    event = record("profile", "upsert", [{"email": "j@x.test"}, {"crm": "1"}, {"email": "old"}], {"name": "Jane"})
    assert entry(event)["properties"] == [
        {"id": "name", "values": ["Jane"], "strategy": "SET"},
        {"id": "email", "values": ["j@x.test"], "strategy": "SET"},
        {"id": "crm", "values": ["1"], "strategy": "SET_IF_EMPTY"},
    ]
    assert ENTRIES.encode(event, "0-7").replay_safe


@pytest.mark.parametrize(
    ("data", "replay_safe"),
    [
        pytest.param({}, True, id="it is added"),
        pytest.param({"email": "j@x.test"}, True, id="the record sets it too"),
        pytest.param({"email": {"set_if_empty": "j@x.test"}}, True, id="the record sets it if empty"),
        pytest.param({"email": {"set": "j@x.test"}}, True, id="by its rule"),
        pytest.param({"email": 7}, False, id="the record changes it to a number"),
        pytest.param({"email": "new@x.test"}, False, id="the record changes it"),
        pytest.param({"email": {"set": "new@x.test"}}, False, id="the record changes it by its rule"),
        pytest.param({"email": None}, False, id="the record clears it"),
        pytest.param({"email": {"remove": "j@x.test"}}, False, id="the record removes it"),
    ],
)
def test_an_upserted_profile_is_safe_to_repeat_if_the_repeat_finds_it(data: object, replay_safe: bool) -> None:
    event = record("profile", "upsert", {"email": "j@x.test"}, data)
    assert ENTRIES.encode(event, "0-7").replay_safe == replay_safe
    assert [rule["id"] for rule in entry(event)["properties"]] == ["email"]


@pytest.mark.parametrize(
    ("operation", "key", "data", "replay_safe"),
    [
        pytest.param("delete", "p-1", {}, True, id="delete by id"),
        pytest.param("delete", {"email": "x"}, {}, True, id="delete by what is unique"),
        pytest.param("delete", BY_EITHER, {}, False, id="a repeated delete could hit the other"),
        pytest.param("update", BY_EITHER, {"name": "J"}, True, id="update by either"),
        pytest.param("update", BY_EITHER, {"crm": {"set_if_empty": "1"}}, True, id="update that changes neither"),
        pytest.param("update", BY_EITHER, {"email": "y"}, False, id="a repeated renaming could hit the other"),
        pytest.param("update", {"email": "x"}, {"email": "y"}, True, id="a repeated renaming finds nobody"),
        pytest.param("upsert", "p-1", EXISTING_ONLY, False, id="a repeat finds the profile that was new before"),
        pytest.param("update", "p-1", EXISTING_ONLY, True, id="an update makes no profile"),
    ],
)
def test_a_repeat_must_do_what_the_first_attempt_did(
    operation: Operation, key: Key, data: object, replay_safe: bool
) -> None:
    assert ENTRIES.encode(record("profile", operation, key, data), "0-7").replay_safe == replay_safe


def test_an_inserted_profile_leaves_one_that_is_there_as_it_is() -> None:
    assert entry(record("profile", "insert", {"email": "j@x.test"}, {"n": 1, "tags": {"add": "a"}})) == {
        "matching": [[{"id": "email", "value": "j@x.test"}]],
        "strategy": "UPSERT",
        "properties": [
            {"id": "n", "values": ["1"], "strategy": "SET", **NEW_ONLY},
            {"id": "tags", "values": ["a"], "strategy": "ADD", **NEW_ONLY},
            {"id": "email", "values": ["j@x.test"], "strategy": "SET", **NEW_ONLY},
        ],
    }


def test_a_number_that_the_record_sets_is_the_text_that_it_is_found_by() -> None:
    assert ENTRIES.encode(record("profile", "upsert", {"crm_id": "77"}, {"crm_id": 77}), "0-7").replay_safe
    assert not ENTRIES.encode(record("profile", "upsert", {"crm_id": "77"}, {"crm_id": 78}), "0-7").replay_safe


def test_a_date_that_is_stored_in_another_form_finds_no_profile_again() -> None:
    entries = with_settings(date_properties=("born",))
    born = "2025-01-22T11:21:33Z"
    assert not entries.encode(record("profile", "upsert", {"born": born}, {"born": born}), "0-7").replay_safe


def test_an_inserted_profile_is_safe_to_repeat_even_with_an_increment() -> None:
    def replay_safe(operation: Operation, data: object) -> bool:
        return ENTRIES.encode(record("profile", operation, {"email": "j@x.test"}, data), "0-7").replay_safe

    assert replay_safe("insert", {"n": {"increment": 1}})
    assert not replay_safe("upsert", {"n": {"increment": 1}})
    assert not replay_safe("insert", {"email": "new@x.test"})


@pytest.mark.parametrize(
    ("operation", "strategy", "date"),
    [
        pytest.param("insert", "SET", "2026-01-02T12:00:00Z", id="insert sets it"),
        pytest.param("upsert", "UPSERT", "2026-01-02T12:00:00Z", id="upsert"),
        pytest.param("update", "UPDATE", None, id="update changes all events of that id"),
    ],
)
def test_an_event_rides_in_its_profile(operation: Operation, strategy: str, date: str | None) -> None:
    event = record("timeline/order", operation, {"email": "j@x.test", "id": "order-1001"}, {"total": 19.95})
    assert entry(event) == {
        "matching": [[{"id": "email", "value": "j@x.test"}]],
        "strategy": "UPDATE",
        "timeline": [
            {
                "eventTypeId": "order",
                "id": "order-1001",
                **({"date": date} if date else {}),
                "identifier": "0-7",
                "strategy": strategy,
                "data": [{"id": "total", "values": [19.95], "strategy": "SET"}],
            }
        ],
    }
    assert ENTRIES.encode(event, "0-7").replay_safe


def test_an_event_is_named_by_profile_id_date_and_id() -> None:
    key: Key = {"profileId": "p-1", "id": "o-1", "date": "2025-02-01T00:00:00+01:00"}
    assert entry(record("timeline/order", "delete", key, {"ignored": 1})) == {
        "profileId": "p-1",
        "strategy": "UPDATE",
        "timeline": [
            {
                "eventTypeId": "order",
                "id": "o-1",
                "date": "2025-02-01T00:00:00+01:00",
                "identifier": "0-7",
                "strategy": "DELETE",
            }
        ],
    }


@pytest.mark.parametrize("key", [pytest.param("p-1", id="a string"), pytest.param({"profileId": "p-1"}, id="mapping")])
def test_an_inserted_event_is_named_after_its_record_by_default(key: Key) -> None:
    (event,) = entry(record("timeline/visit", "insert", key, event_id="e-9"))["timeline"]
    assert (event["id"], event["date"]) == ("e-9", "2026-01-02T12:00:00Z")


def test_a_timeline_may_create_profiles() -> None:
    entries = with_settings(timeline_creates_profiles=True)
    made = entry(record("timeline/order", "insert", {"email": "j@x.test"}), entries)
    assert made["strategy"] == "UPSERT"
    assert made["properties"] == [{"id": "email", "values": ["j@x.test"], "strategy": "SET"}]
    update = record("timeline/order", "update", {"email": "j@x.test", "id": "o-1"})
    assert entry(update, entries)["strategy"] == "UPDATE"


@pytest.mark.parametrize(
    ("event", "code", "words"),
    [
        pytest.param(record("contact"), "unknown-object", "expected the object group/<type>", id="unknown object"),
        pytest.param(record("group/"), "unknown-object", "group/<type>", id="no group type"),
        pytest.param(record("group"), "unknown-object", "group/<type>", id="no slash"),
        pytest.param(record("timeline/"), "unknown-object", "timeline/<event type>", id="no event type"),
        pytest.param(record("profile/x"), "unknown-object", "profile", id="profile with a type"),
        pytest.param(record("profile", "hardDelete"), "unknown-operation", "'hardDelete'", id="no such operation"),
        pytest.param(record(key=None), "bad-key", "group's id as key, a string, got null", id="group without key"),
        pytest.param(record(key=""), "bad-key", "got ''", id="group with an empty key"),
        pytest.param(record(key={"a": "b"}), "bad-key", "got an object with `a`", id="group with a mapping as key"),
        pytest.param(record("profile", key=None), "bad-key", "each repeat would make another", id="upsert without key"),
        pytest.param(record("profile", "insert", None), "bad-key", "make another profile", id="insert without key"),
        pytest.param(record("profile", key=""), "bad-key", "a profile's id", id="profile with an empty key"),
        pytest.param(record("profile", key={}), "bad-key", "nothing in it", id="profile with an empty mapping"),
        pytest.param(record("profile", key=[]), "bad-key", "a list of 0", id="profile with no alternative"),
        pytest.param(record("profile", key=[{"a": "b"}, {}]), "bad-key", "a list of 2", id="an empty alternative"),
        pytest.param(record("profile", key={"email": ""}), "bad-key", "`email`", id="found by an empty value"),
        pytest.param(record("timeline/order", key="p-1"), "bad-key", "the event's `id`", id="event without an id"),
        pytest.param(record("timeline/order", key=None), "bad-key", "profile's id", id="event without a profile"),
        pytest.param(order(), "bad-key", "profile's id", id="only an event's id"),
        pytest.param(order(profileId="p", email="x"), "bad-key", "both", id="both keys"),
        pytest.param(
            order(profileId="p", date="yesterday"),
            "bad-key",
            "2025-01-22T11:21:33Z",
            id="event with a bad date",
        ),
        pytest.param(order(profileId="p", date="2025-01-22T11:21:33"), "bad-key", "`date`", id="a date without a zone"),
    ],
)
def test_a_record_that_could_never_be_taken_is_rejected(event: RecordEvent, code: str, words: str) -> None:
    error = rejection(event)
    assert error.code == code
    assert words in error.message


def test_the_field_of_the_group_type_can_be_chosen() -> None:
    made = entry(record(), with_settings(group_type_field="groupType"))
    assert made["groupType"] == "company"
    assert "groupTypeId" not in made


def test_identity_is_that_of_the_vendors_record() -> None:
    def identity(object_: str, key: Key) -> tuple[str, object]:
        encoded = ENTRIES.encode(record(object_, "insert", key), "0-7")
        return encoded.batch_key, encoded.identity

    assert identity("group/a", "x") == identity("group/a", "x")
    assert identity("group/a", "x") != identity("group/b", "x")
    assert identity("profile", {"a": "1", "b": "2"}) == identity("profile", {"b": "2", "a": "1"})
    assert identity("profile", {"email": "x"}) == identity("timeline/order", {"email": "x", "id": "o-1"})
    assert identity("profile", "p-1") == identity("timeline/order", {"profileId": "p-1", "id": "o-2"})
    assert identity("profile", "p-1")[0] != identity("group/a", "p-1")[0]


@pytest.mark.parametrize("identifier", ["0-7", "é", 'a"b', "a\\", 'a\\"b\n'])
def test_an_identifier_is_carried_by_its_entry(identifier: str) -> None:
    assert msgspec.json.decode(ENTRIES.encode(record(), identifier).body)["identifier"] == identifier


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["set", "add", "increment", "restriction"]), inner)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["email", "id", "date", "profileId", "a b", ""]) | st.text(max_size=4)
TEXTS = st.dictionaries(NAMES, st.text())
KEYS = st.none() | st.text() | TEXTS | st.lists(TEXTS, max_size=3)
OBJECTS = st.sampled_from(["group/company", "profile", "timeline/order"]) | st.text(min_size=1, max_size=20)


@settings(deadline=None)
@given(
    object_=OBJECTS,
    operation=st.sampled_from(["insert", "update", "upsert", "delete"]),
    key=KEYS,
    data=st.dictionaries(st.sampled_from(["a", "b_1", "c d"]) | st.text(max_size=3), JSON) | JSON,
)
def test_any_record_becomes_a_json_entry_or_a_rejection(object_: str, operation: str, key: Key, data: object) -> None:
    content = {
        "event_id": "e-1",
        "object": object_,
        "operation": operation,
        "key": key,
        "data": data,
        "occurred_at": "2025-01-22T11:21:33Z",
    }
    event = decode_record(msgspec.json.encode(content))
    try:
        encoded = ENTRIES.encode(event, "0-7")
    except Rejection:
        return
    made = json.loads(encoded.body)
    assert made["identifier"] == "0-7"
    assert {encoded.identity} == {encoded.identity}
    for rule in made.get("properties", []):
        assert all(isinstance(value, str) for value in rule["values"])
