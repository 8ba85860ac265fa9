"""The fields of the entries of both bulk calls, row by row. blueconic.md §3, §4 and its Mapping."""

from typing import Any

import pytest

from tests.sandbox.blueconic.tenants import Tenant, group, matching, rule

ONE_MORE = {**group("g"), "properties": [rule("INCREMENT", "1")]}
KNOWN = {"profileId": "known", "strategy": "UPSERT"}
BY_EMAIL = matching("email", "jane@example.com")


@pytest.mark.parametrize(
    ("entry", "result"),
    [
        pytest.param(
            {"groupTypeId": "airport", "groupId": "g", "strategy": "UPSERT"},
            {"groupId": "g", "groupTypeId": "airport", "state": "CREATED"},
            id="§3 field groupTypeId, §3 field groupId: that of a new group",
        ),
        pytest.param(
            {"groupType": "airport", "groupId": "g", "strategy": "UPSERT"},
            {"groupId": "g", "groupTypeId": "airport", "state": "CREATED"},
            id="§9 defect 1: the result has groupTypeId whatever was sent",
        ),
        pytest.param(
            {"groupTypeId": "company", "groupId": "g", "identifier": "b7/ü"},
            {"groupId": "g", "groupTypeId": "company", "state": "NOTFOUND", "identifier": "b7/ü"},
            id="§3 field identifier: echoed as sent",
        ),
    ],
)
async def test_a_result_names_its_entry(blueconic: Tenant, entry: dict[str, Any], result: dict[str, Any]) -> None:
    assert await blueconic.put_groups(entry) == [result]


async def test_the_field_strategy_is_per_entry_so_that_a_request_may_mix_all_three(blueconic: Tenant) -> None:
    entries = [group("g", strategy=strategy) for strategy in ("UPSERT", "UPDATE", "DELETE")]
    results = await blueconic.put_groups(*entries)
    assert [result["state"] for result in results] == ["CREATED", "UNCHANGED", "DELETED"]


@pytest.mark.parametrize(
    ("entry", "states"),
    [
        pytest.param(group("g", p="1"), ["CREATED", "UNCHANGED"], id="Mapping, resend of an upsert"),
        pytest.param(ONE_MORE, ["CREATED", "MODIFIED"], id="Mapping, resend of an increment"),
        pytest.param(group("old", strategy="DELETE"), ["DELETED", "NOTFOUND"], id="Mapping, resend of a delete"),
    ],
)
async def test_a_resend_has_another_state(blueconic: Tenant, entry: dict[str, Any], states: list[str]) -> None:
    await blueconic.put_groups(group("old"))
    assert [(await blueconic.put_groups(entry))[0]["state"] for _ in states] == states


async def _shown(blueconic: Tenant) -> dict[str, Any]:
    """Return what creation fixed, by the names of the entries' fields."""
    profile = await blueconic.profile("known")
    values = {one["id"]: one["values"] for one in profile["properties"]}
    return {
        "permissionLevel": profile["permissions"]["level"],
        "domainGroup": values["domaingroup"][0],
        "privacyLegislation": values.get("privacy_legislation", [None])[0],
    }


@pytest.mark.parametrize(
    ("field", "default", "given", "later"),
    [
        pytest.param("permissionLevel", "PERSONAL", "ANONYMOUS", "DO_NOT_TRACK", id="§4 field permissionLevel"),
        pytest.param("privacyLegislation", None, "GDPR", "CCPA", id="§4 field privacyLegislation"),
        pytest.param("domainGroup", "DEFAULT", "A", "B", id="§4 field domainGroup"),
    ],
)
async def test_a_field_that_works_only_at_creation(
    blueconic: Tenant, field: str, default: str | None, given: str, later: str
) -> None:
    await blueconic.put_profiles(KNOWN)
    assert (await _shown(blueconic))[field] == default
    await blueconic.put_profiles({**KNOWN, "strategy": "DELETE"}, {**KNOWN, field: given}, {**KNOWN, field: later})
    assert (await _shown(blueconic))[field] == given


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        pytest.param({**BY_EMAIL, "domainGroup": "A"}, "UNCHANGED", id="§4 field domainGroup: matching in it"),
        pytest.param(BY_EMAIL, "NOTFOUND", id="§4 field domainGroup: no matching in another"),
        pytest.param({**BY_EMAIL, "strategy": "UPSERT"}, "CREATED", id="§4 field domainGroup: one profile in each"),
        pytest.param({"profileId": "known"}, "UNCHANGED", id="§4 field profileId: whatever the domain group"),
    ],
)
async def test_matching_looks_in_one_domain_group(blueconic: Tenant, entry: dict[str, Any], state: str) -> None:
    rules = [rule("SET", "jane@example.com", name="email")]
    await blueconic.put_profiles({**KNOWN, "domainGroup": "A", "properties": rules})
    [result] = await blueconic.put_profiles(entry)
    assert result["state"] == state


@pytest.mark.parametrize("field", ["triggerOnPropertyChange", "triggerOnEventAdded"], ids="§4 field {}".format)
@pytest.mark.parametrize("value", [pytest.param(True, id="true"), pytest.param(False, id="false")])
async def test_triggers_are_taken(blueconic: Tenant, field: str, value: bool) -> None:
    [result] = await blueconic.put_profiles({**KNOWN, field: value})
    assert result["state"] == "CREATED"


@pytest.mark.parametrize(
    ("strategy", "event_id", "state", "stored"),
    [
        pytest.param("UPDATE", "old", "MODIFIED", ["old"], id="Mapping, timeline: update"),
        pytest.param("UPSERT", "new", "CREATED", ["new", "old"], id="Mapping, timeline: upsert by UPSERT"),
        pytest.param("SET", "old", "SET", ["old"], id="Mapping, timeline: upsert by SET"),
        pytest.param("SET", "new", "SET", ["new", "old"], id="Mapping, timeline: insert"),
        pytest.param("DELETE", "old", "DELETED", [], id="Mapping, timeline: delete"),
    ],
)
async def test_an_update_entry_carries_events(
    blueconic: Tenant, strategy: str, event_id: str, state: str, stored: list[str]
) -> None:
    event = {"eventTypeId": "order", "date": "2025-01-01T00:00:00Z"}
    await blueconic.put_profiles({**KNOWN, "timeline": [{**event, "id": "old"}]})
    sent = {**event, "id": event_id, "strategy": strategy, "identifier": "e1"}
    [result] = await blueconic.put_profiles({"profileId": "known", "timeline": [sent]})
    assert result["timeline"] == [{"id": event_id, "identifier": "e1", "state": state}]
    assert sorted(one["id"] for one in (await blueconic.profile("known"))["events"]) == stored
