"""Profiles and timeline events against the stand-in, over HTTP."""

import pytest

from sandbox.blueconic.settings import Segment, Settings
from sandbox.faults.fault import DropAfter, ShuffleResults
from sluice.destinations.contract import Ambiguous
from sluice.events import Key, Operation, RecordEvent
from tests.destinations.blueconic.tenant import Tenant, tenant
from tests.support.factories import record

JANE: Key = {"email": "jane@example.com"}


def profile(operation: Operation = "upsert", data: object = None, key: Key = JANE) -> RecordEvent:
    return record("profile", operation, key, data)


def order(operation: Operation = "insert", data: object = None, *, id_: str = "order-1001") -> RecordEvent:
    return record("timeline/order", operation, {"email": "jane@example.com", "id": id_}, data)


async def jane(acme: Tenant) -> str:
    """Return the id that the vendor chose."""
    found = await acme.read("/profiles?property=email&value=jane@example.com")
    (one,) = found["profiles"]
    return str(one["id"])


async def events_of(acme: Tenant) -> list[dict[str, object]]:
    read = await acme.read(f"/profiles/{await jane(acme)}?expand=profile.timeline")
    events: list[dict[str, object]] = read["events"]
    return events


async def test_a_profile_is_created_changed_and_deleted(acme: Tenant) -> None:
    (created,) = await acme.write(profile(data={"name": "Jane", "visits": 1}))
    assert (created.code, created.record_id) == ("CREATED", await jane(acme))
    assert await acme.states(profile(data={"name": "Jane"})) == ["UNCHANGED"]
    assert await acme.states(profile("update", {"visits": {"increment": 2}})) == ["MODIFIED"]
    values = await acme.values(f"/profiles/{created.record_id}")
    assert (values["email"], values["name"], values["visits"]) == (["jane@example.com"], ["Jane"], ["3"])
    assert await acme.states(profile("delete")) == ["DELETED"]
    assert await acme.states(profile("delete")) == ["NOTFOUND"]
    assert await acme.states(profile("update", {"name": "x"})) == ["NOTFOUND"]


async def test_a_profile_is_written_by_its_id(acme: Tenant) -> None:
    assert await acme.states(profile(data={"name": "Jo"}, key="p-1")) == ["CREATED"]
    assert (await acme.values("/profiles/p-1"))["name"] == ["Jo"]
    assert await acme.states(profile("delete", key="p-1")) == ["DELETED"]


async def test_a_repeated_upsert_finds_what_it_made(acme: Tenant) -> None:
    event = profile(data={"name": "Jane"}, key=[{"email": "jane@example.com"}, {"crm_id": "C-77"}])
    await acme.control.add_fault(DropAfter(path="/rest/v2/profiles"))
    with pytest.raises(Ambiguous):
        await acme.write(event)
    assert await acme.states(event) == ["UNCHANGED"]
    assert (await acme.values(f"/profiles/{await jane(acme)}"))["crm_id"] == ["C-77"]


async def test_an_alternative_finds_a_profile_and_keeps_its_own_value(acme: Tenant) -> None:
    await acme.write(profile(data={"crm_id": "C-77"}))
    by_number = profile(data={"name": "J."}, key=[{"email": "new@example.com"}, {"crm_id": "C-77"}])
    (outcome,) = await acme.write(by_number)
    values = await acme.values(f"/profiles/{outcome.record_id}")
    assert (outcome.code, values["email"], values["name"]) == ("MODIFIED", ["new@example.com"], ["J."])


async def test_an_insert_leaves_a_profile_that_is_there_as_it_is(acme: Tenant) -> None:
    assert await acme.states(profile("insert", {"name": "Jane"})) == ["CREATED"]
    (outcome,) = await acme.write(profile("insert", {"name": "Other", "visits": {"increment": 1}}))
    assert (outcome.fate, outcome.code, outcome.warning) == ("skipped", "UNCHANGED", "existed already")
    values = await acme.values(f"/profiles/{await jane(acme)}")
    assert (values["name"], "visits" in values) == (["Jane"], False)


async def test_each_refusal_is_its_own_items() -> None:
    settings = Settings(pii_properties=frozenset({"passport"}))
    async with tenant(settings) as acme:
        events = [
            profile(data={"passport": "x"}, key={"email": "a@x.test"}),
            profile(data={"name": "x"}, key={"shoe_size": "43"}),
            profile(data={"name": "x"}, key={"email": "b@x.test"}),
        ]
        await acme.control.add_fault(ShuffleResults(path="/rest/v2/profiles"))
        outcomes = await acme.write(*events)
    assert [(outcome.fate, outcome.code) for outcome in outcomes] == [
        ("rejected", "UNAUTHORIZED"),
        ("rejected", "SKIPPED"),
        ("delivered", "CREATED"),
    ]


async def test_consent_is_checked_where_objectives_are_configured() -> None:
    async with tenant(objective_ids=("news", "ads")) as acme:
        willing = profile(data={"privacy_legislation": "GDPR", "consented_objectives": ["ads"]})
        unwilling = profile(data={"privacy_legislation": "GDPR"}, key={"email": "no@x.test"})
        outcomes = await acme.write(willing, unwilling)
    assert [(outcome.fate, outcome.code) for outcome in outcomes] == [
        ("delivered", "CREATED"),
        ("rejected", "CONSENT_MISMATCH"),
    ]


async def test_only_members_of_a_segment_are_written_if_asked() -> None:
    async with tenant(Settings(segments=(Segment(id="loyal", property="tier", value="gold"),))) as acme:
        await acme.write(profile(data={"tier": "gold"}), profile(data={"tier": "none"}, key={"email": "b@x.test"}))
        only = {"$isMemberOfSegment": "loyal", "greeted": True}
        outcomes = await acme.write(profile("update", only), profile("update", only, key={"email": "b@x.test"}))
        assert await acme.states(profile("delete", {"$isMemberOfSegment": "lost"})) == ["RESTRICTION_MISMATCH"]
    assert [(outcome.fate, outcome.code) for outcome in outcomes] == [
        ("delivered", "MODIFIED"),
        ("rejected", "RESTRICTION_MISMATCH"),
    ]


async def test_a_new_profile_has_the_permissions_and_the_domain_group_of_its_record(acme: Tenant) -> None:
    named = {"$permissionLevel": "ANONYMOUS", "$privacyLegislation": "GDPR", "$domainGroup": "nl"}
    (outcome,) = await acme.write(profile(data=named))
    read = await acme.read(f"/profiles/{outcome.record_id}")
    assert read["permissions"]["level"] == "ANONYMOUS"
    assert {one["id"]: one["values"] for one in read["properties"]}["privacy_legislation"] == ["GDPR"]
    assert await acme.states(profile("update", {"name": "x"})) == ["NOTFOUND"]
    assert await acme.states(profile("delete", {"$domainGroup": "nl"})) == ["DELETED"]


async def test_rules_may_be_for_new_or_for_existing_profiles_only(acme: Tenant) -> None:
    data = {
        "first_seen": {"set": "now", "restriction": "NEW_PROFILES_ONLY"},
        "seen_again": {"set": "now", "restriction": "EXISTING_PROFILES_ONLY"},
        "name": {"set": "Jane", "restriction": "ALL_PROFILES"},
    }
    await acme.write(profile(data=data))
    assert (await acme.values(f"/profiles/{await jane(acme)}")).keys() & data.keys() == {"first_seen", "name"}
    await acme.write(profile(data=data))
    assert (await acme.values(f"/profiles/{await jane(acme)}")).keys() >= data.keys()


async def test_nested_values_are_added_changed_and_removed(acme: Tenant) -> None:
    await acme.write(profile())
    await acme.write(order(data={"product": {"id": "P-5", "quantity": 2}}))
    changes = [
        {"product": {"upsert": [{"id": "P-5", "quantity": 3}, {"id": "P-6", "quantity": 1}]}},
        {"product": {"update": {"id": "P-6", "quantity": 4}}},
        {"product": {"delete": {"id": "P-5"}}},
    ]
    for change in changes:
        assert await acme.states(order("update", change)) == ["MODIFIED"]
    (event,) = await events_of(acme)
    assert event["data"] == [
        {"id": "product", "values": [[{"id": "id", "values": ["P-6"]}, {"id": "quantity", "values": ["4"]}]]}
    ]


async def test_an_event_keeps_its_date_and_source(acme: Tenant) -> None:
    await acme.write(profile())
    key: Key = {"email": "jane@example.com", "id": "o-1", "date": "2026-01-01T10:00:00+01:00"}
    assert await acme.states(record("timeline/order", "insert", key, {"$source": "shop"})) == ["SET"]
    (event,) = await events_of(acme)
    assert (event["date"], event["source"]) == ("2026-01-01T09:00:00.000Z", "shop")


async def test_an_event_is_added_once_changed_and_removed(acme: Tenant) -> None:
    bought = {"total_revenue": 19.95, "product": [{"id": "P-5", "quantity": 2}]}
    await acme.write(profile())
    assert await acme.states(order(data=bought)) == ["SET"]
    assert await acme.states(order(data=bought)) == ["SET"]
    (event,) = await events_of(acme)
    assert (event["id"], event["eventTypeId"]) == ("order-1001", "order")
    assert await acme.states(order("upsert", {"total_revenue": 20})) == ["MODIFIED"]
    assert await acme.states(order("upsert", {"total_revenue": 5}, id_="order-1002")) == ["CREATED"]
    assert await acme.states(order("update", {"total_revenue": 21})) == ["MODIFIED"]
    assert await acme.states(order("update", {"total_revenue": 1}, id_="order-9")) == ["NOTFOUND"]
    assert await acme.states(order("delete")) == ["DELETED"]
    assert await acme.states(order("delete")) == ["NOTFOUND"]
    assert [event["id"] for event in await events_of(acme)] == ["order-1002"]


async def test_a_bad_event_is_rejected_and_its_profile_is_not(acme: Tenant) -> None:
    await acme.write(profile())
    (outcome,) = await acme.write(order(data={"total_revenue": "a lot"}))
    assert (outcome.fate, outcome.code) == ("rejected", "REJECTED")
    assert outcome.message == "#/total_revenue/0: expected type: Number, found: String"


async def test_an_event_of_nobody_is_not_lost_in_silence(acme: Tenant) -> None:
    (outcome,) = await acme.write(order(data={"total_revenue": 1}))
    assert (outcome.fate, outcome.code) == ("rejected", "NOTFOUND")
