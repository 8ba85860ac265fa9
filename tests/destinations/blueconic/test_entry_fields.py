"""Fields of an entry beside its key and content, from the settings and from records. blueconic.md §3 to §5."""

from typing import Any

import pytest

from sluice.events import Operation
from tests.destinations.blueconic.offline import entry, rejection, with_settings
from tests.support.factories import record

CONFIGURED = with_settings(
    domain_group="nl",
    member_of_segment="loyal",
    permission_level="ANONYMOUS",
    privacy_legislation="GDPR",
    trigger_on_property_change=False,
    trigger_on_event_added=True,
)
OF_ANY = {"domainGroup": "nl", "restriction": {"isMemberOfSegment": "loyal"}}
FROM_SETTINGS = {
    **OF_ANY,
    "permissionLevel": "ANONYMOUS",
    "privacyLegislation": "GDPR",
    "triggerOnPropertyChange": False,
    "triggerOnEventAdded": True,
}
NAMED = {
    "$domainGroup": "be",
    "$isMemberOfSegment": "new",
    "$permissionLevel": "PERSONAL",
    "$privacyLegislation": "CCPA",
    "$triggerOnPropertyChange": True,
    "$triggerOnEventAdded": "false",
}
FROM_RECORD = {
    "domainGroup": "be",
    "restriction": {"isMemberOfSegment": "new"},
    "permissionLevel": "PERSONAL",
    "privacyLegislation": "CCPA",
    "triggerOnPropertyChange": True,
    "triggerOnEventAdded": False,
}
CONTENT = {"groupTypeId", "groupId", "profileId", "strategy", "properties", "timeline"}


def fields(object_: str, operation: Operation, data: object = None, *, configured: bool = True) -> dict[str, Any]:
    made = entry(record(object_, operation, data=data), CONFIGURED if configured else with_settings())
    return {name: value for name, value in made.items() if name not in CONTENT}


@pytest.mark.parametrize(
    ("object_", "operation", "expected"),
    [
        pytest.param("group/company", "upsert", {"domainGroup": "nl"}, id="a group"),
        pytest.param("group/company", "delete", {"domainGroup": "nl"}, id="a group's delete"),
        pytest.param("profile", "upsert", FROM_SETTINGS, id="a profile"),
        pytest.param("profile", "delete", OF_ANY, id="a profile's delete"),
        pytest.param("timeline/order", "insert", FROM_SETTINGS, id="an event"),
    ],
)
def test_settings_show_in_entries(object_: str, operation: Operation, expected: object) -> None:
    assert fields(object_, operation) == expected
    assert fields(object_, operation, configured=False) == {}


@pytest.mark.parametrize("object_", ["profile", "timeline/order"])
@pytest.mark.parametrize("configured", [True, False], ids=["over the settings", "alone"])
def test_a_record_may_name_them(object_: str, configured: bool) -> None:
    assert fields(object_, "insert", NAMED, configured=configured) == FROM_RECORD


def test_a_record_without_a_value_leaves_them_to_the_settings() -> None:
    assert fields("profile", "upsert", dict.fromkeys(NAMED)) == FROM_SETTINGS


def test_they_are_no_properties() -> None:
    assert entry(record(data={"$domainGroup": "be", "name": "Acme"})) == {
        "groupTypeId": "company",
        "groupId": "c-1",
        "strategy": "UPSERT",
        "domainGroup": "be",
        "properties": [{"id": "name", "values": ["Acme"], "strategy": "SET"}],
    }


def test_a_deleted_record_is_looked_for_where_it_says() -> None:
    named = {"$domainGroup": "be", "$isMemberOfSegment": "new", "name": "ignored"}
    expected = {"domainGroup": "be", "restriction": {"isMemberOfSegment": "new"}}
    assert fields("profile", "delete", named) == expected
    assert fields("group/company", "delete", {"$domainGroup": "be"}) == {"domainGroup": "be"}


def test_an_inserted_event_may_name_its_source() -> None:
    (event,) = entry(record("timeline/order", "insert", data={"$source": "shop", "total": 1}))["timeline"]
    assert event["source"] == "shop"
    assert event["data"] == [{"id": "total", "values": [1], "strategy": "SET"}]


@pytest.mark.parametrize(
    ("object_", "operation", "data", "code", "words"),
    [
        pytest.param("group/company", "upsert", {"$permissionLevel": "PERSONAL"}, "bad-field", "here", id="of a group"),
        pytest.param("profile", "upsert", {"$domaingroup": "nl"}, "bad-field", "`$domainGroup`", id="mistyped"),
        pytest.param("profile", "delete", {"$triggerOnEventAdded": True}, "bad-field", "here", id="of a delete"),
        pytest.param("timeline/order", "upsert", {"$source": "shop"}, "bad-field", "here", id="source of an upsert"),
        pytest.param("timeline/order", "insert", {"$source": 7}, "bad-value", "a text", id="a source that is no text"),
        pytest.param("profile", "upsert", {"$domainGroup": 7}, "bad-value", "a text", id="a domain that is no text"),
        pytest.param("profile", "upsert", {"$isMemberOfSegment": ""}, "bad-value", "a text", id="an empty segment"),
        pytest.param("profile", "upsert", {"$permissionLevel": "personal"}, "bad-value", "`PERSONAL`", id="a level"),
        pytest.param("profile", "upsert", {"$privacyLegislation": "gdpr"}, "bad-value", "`GDPR`", id="a legislation"),
        pytest.param("profile", "upsert", {"$triggerOnEventAdded": 1}, "bad-value", "true or false", id="a trigger"),
        pytest.param("profile", "upsert", {"$domainGroup": ["nl"]}, "bad-value", "a list of 1", id="a list"),
    ],
)
def test_a_field_that_would_spoil_the_request_is_rejected(
    object_: str, operation: Operation, data: object, code: str, words: str
) -> None:
    error = rejection(record(object_, operation, {"profileId": "p", "id": "o"} if "/o" in object_ else "c-1", data))
    assert error.code == code
    assert words in error.message
