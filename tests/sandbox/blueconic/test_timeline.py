"""Timeline events inside profile entries, as in blueconic.md §5."""

from functools import partial
from typing import Any

import pytest

from sandbox.blueconic.event_types import ORDER, EventType
from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import Tenant, tenant

DATE = "2025-01-01T00:00:00Z"
CLICK = EventType(id="click", name="Click", priority="LOW")


def event(**fields: Any) -> dict[str, Any]:
    return {"eventTypeId": "order", "id": "o1", "date": DATE, "strategy": "SET", **fields}


def data(name: str, *values: Any, strategy: str = "SET") -> dict[str, Any]:
    return {"id": name, "values": list(values), "strategy": strategy}


def product(name: str, quantity: int) -> list[dict[str, Any]]:
    return [{"id": "id", "values": [name]}, {"id": "quantity", "values": [quantity]}]


async def write(blueconic: Tenant, *events: dict[str, Any]) -> list[dict[str, Any]]:
    [result] = await blueconic.put_profiles({"profileId": "p", "strategy": "UPSERT", "timeline": list(events)})
    results: list[dict[str, Any]] = result["timeline"]
    return results


async def stored(blueconic: Tenant) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = (await blueconic.profile("p"))["events"]
    return events


def values(one: dict[str, Any]) -> dict[str, list[Any]]:
    return {entry["id"]: entry["values"] for entry in one["data"]}


@pytest.mark.parametrize(
    ("sent", "state", "count"),
    [
        pytest.param(event(), "SET", 1, id="§5 event SET replaces the same id, type and date"),
        pytest.param(event(id="o2"), "SET", 2, id="§5 event SET of another id adds"),
        pytest.param(event(date="2025-01-02T00:00:00Z"), "SET", 2, id="§5 event SET of another date adds"),
        pytest.param(event(date="2025-01-01T01:00:00+01:00"), "SET", 1, id="§5 event date: same by another offset"),
        pytest.param(event(date=""), "SET", 2, id="§5 event date: empty is now"),
        pytest.param(event(strategy="UPSERT"), "MODIFIED", 1, id="§5 event UPSERT of what is there"),
        pytest.param(event(strategy="UPSERT", id="o2"), "CREATED", 2, id="§5 event UPSERT inserts if absent"),
        pytest.param(event(strategy="UPSERT", date=""), "MODIFIED", 1, id="§5 UPSERT without date: all of id and type"),
        pytest.param(event(strategy="UPDATE"), "MODIFIED", 1, id="§5 event UPDATE of what is there"),
        pytest.param(event(strategy="UPDATE", id="o2"), "NOTFOUND", 1, id="§5 event UPDATE does not insert"),
        pytest.param(event(strategy="UPDATE", date=""), "MODIFIED", 1, id="§5 UPDATE without date: all of id and type"),
        pytest.param(event(strategy="DELETE"), "DELETED", 0, id="§5 event DELETE"),
        pytest.param(event(strategy="DELETE", date=""), "DELETED", 0, id="§5 DELETE without date: all of id and type"),
        pytest.param(event(strategy="DELETE", id="o2"), "NOTFOUND", 1, id="§5 event DELETE of what is absent"),
        pytest.param(event(eventTypeId="visit"), "REJECTED", 1, id="§5 REJECTED: an unknown event type"),
        pytest.param(event(date="2025-W01-3T00:00:00Z"), "REJECTED", 1, id="§5 event date: a date of a week"),
        pytest.param(event(date="2025-01-01 00:00:00Z"), "REJECTED", 1, id="§5 event date: without a T"),
        pytest.param(event(date="2025-01-01T00:00:00"), "REJECTED", 1, id="§5 event date: without an offset"),
        pytest.param(event(date="yesterday"), "REJECTED", 1, id="§5 REJECTED: a date that is none"),
        pytest.param(event(data=[data("total_revenue", "x")]), "REJECTED", 1, id="§5 REJECTED: data of the wrong type"),
    ],
)
async def test_each_event_has_its_state(blueconic: Tenant, sent: dict[str, Any], state: str, count: int) -> None:
    await write(blueconic, event())
    [result] = await write(blueconic, sent)
    assert result["state"] == state
    assert len(await stored(blueconic)) == count


revenue, products = partial(data, "total_revenue"), partial(data, "product")
ONE_VALUE = "/0/id: expected exactly one non-empty value"


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        pytest.param(revenue("x"), "/0: expected type: Number, found: String", id="§5 REJECTED: the example"),
        pytest.param(revenue(1, True), "/1: expected type: Number, found: Boolean", id="§5 REJECTED: a boolean"),
        pytest.param(
            revenue([{"id": "a", "values": [1]}]),
            "/0: expected type: Number, found: JSONArray",
            id="§5 REJECTED: a nested value",
        ),
        pytest.param(products("P-5"), "/0: expected type: JSONArray, found: String", id="§5 REJECTED: not nested"),
        pytest.param(products([{"id": "quantity", "values": [2]}]), ONE_VALUE, id="§5 nested identifier: none"),
        pytest.param(products([{"id": "id", "values": [""]}]), ONE_VALUE, id="§5 nested identifier: not empty"),
        pytest.param(
            revenue(1, strategy="UPSERT"),
            ": expected strategy: ADD, SET, SET_IF_EMPTY, found: UPSERT",
            id="§5 primitive rules: no UPSERT",
        ),
        pytest.param(
            products(product("P-5", 1), strategy="ADD"),
            ": expected strategy: DELETE, SET, UPDATE, UPSERT, found: ADD",
            id="§5 nested rules: no ADD",
        ),
    ],
)
async def test_a_rejected_event_says_why_in_a_plain_list(blueconic: Tenant, sent: dict[str, Any], problem: str) -> None:
    [result] = await write(blueconic, event(data=[sent]))
    assert (result["state"], result["validationErrors"]) == ("REJECTED", [f"#/{sent['id']}{problem}"])


async def test_a_rejected_event_does_not_fail_its_entry_or_its_neighbours(blueconic: Tenant) -> None:
    entry = {"profileId": "p", "strategy": "UPSERT", "timeline": [event(date="x"), event(identifier="e2")]}
    [result] = await blueconic.put_profiles(entry)
    assert result["state"] == "CREATED"
    assert [one["state"] for one in result["timeline"]] == ["REJECTED", "SET"]
    assert result["timeline"][1]["identifier"] == "e2"


@pytest.mark.parametrize(
    ("change", "after"),
    [
        pytest.param(data("note", "b", strategy="SET"), ["b"], id="§5 primitive rule SET"),
        pytest.param(data("note", "a", "b", strategy="ADD"), ["a", "b"], id="§5 primitive rule ADD"),
        pytest.param(data("note", "b", strategy="SET_IF_EMPTY"), ["a"], id="§5 primitive rule SET_IF_EMPTY"),
    ],
)
async def test_primitive_rules_change_an_event(blueconic: Tenant, change: dict[str, Any], after: list[str]) -> None:
    await write(blueconic, event(data=[data("note", "a")]))
    await write(blueconic, event(strategy="UPDATE", data=[change]))
    assert values((await stored(blueconic))[0])["note"] == after


@pytest.mark.parametrize(
    ("strategy", "name", "after"),
    [
        pytest.param("SET", "P-2", {"P-2": "9"}, id="§5 nested SET replaces all"),
        pytest.param("UPSERT", "P-1", {"P-1": "9"}, id="§5 nested UPSERT merges by the identifier"),
        pytest.param("UPSERT", "P-2", {"P-1": "1", "P-2": "9"}, id="§5 nested UPSERT appends another"),
        pytest.param("UPDATE", "P-1", {"P-1": "9"}, id="§5 nested UPDATE merges by the identifier"),
        pytest.param("UPDATE", "P-2", {"P-1": "1"}, id="§5 nested UPDATE appends nothing"),
        pytest.param("DELETE", "P-1", {}, id="§5 nested DELETE removes by the identifier"),
    ],
)
async def test_nested_rules_use_identifiers(blueconic: Tenant, strategy: str, name: str, after: dict[str, str]) -> None:
    await write(blueconic, event(data=[data("product", product("P-1", 1))]))
    change = data("product", product(name, 9), strategy=strategy)
    await write(blueconic, event(strategy="UPDATE", data=[change]))
    products = values((await stored(blueconic))[0])["product"]
    assert {one[0]["values"][0]: one[1]["values"][0] for one in products} == after


async def test_without_a_date_a_rule_reaches_every_event_of_that_id_and_type(blueconic: Tenant) -> None:
    await write(blueconic, event(), event(date="2025-01-02T00:00:00Z"), event(id="other"))
    await write(blueconic, event(strategy="UPDATE", date="", data=[data("note", "seen")]))
    assert [values(one).get("note") for one in await stored(blueconic)].count(["seen"]) == 2


async def test_a_resent_event_without_id_is_a_second_event(blueconic: Tenant) -> None:
    await write(blueconic, event(id=""))
    await write(blueconic, event(id=""))
    assert len(await stored(blueconic)) == 2


async def test_the_source_is_settable_only_with_set(blueconic: Tenant) -> None:
    await write(blueconic, event(source="shop"), event(id="o2", strategy="UPSERT", source="shop"))
    assert {one["id"]: one["source"] for one in await stored(blueconic)} == {"o1": "shop", "o2": ""}


async def test_values_come_back_as_strings(blueconic: Tenant) -> None:
    await write(blueconic, event(data=[data("total_revenue", 19.95), data("gift", True)]))
    assert values((await stored(blueconic))[0]) == {"total_revenue": ["19.95"], "gift": ["true"]}


async def test_events_ride_only_on_entries_that_write_their_profile(blueconic: Tenant) -> None:
    [result] = await blueconic.put_profiles({"profileId": "absent", "timeline": [event()]})
    assert (result["state"], "timeline" in result) == ("NOTFOUND", False)


def _many(event_type: str, count: int) -> list[dict[str, Any]]:
    """Return events of today: LOW ones of an old date would be removed at once."""
    return [event(eventTypeId=event_type, id=f"{event_type}-{index}", date="") for index in range(count)]


@pytest.mark.parametrize(
    ("high", "low", "kept"),
    [
        pytest.param(251, 0, {"order": 250}, id="§5 limits: 250 events per profile"),
        pytest.param(100, 200, {"order": 100, "click": 150}, id="§5 limits: LOW ones give way"),
        pytest.param(200, 51, {"order": 200, "click": 50}, id="§5 limits: 50 LOW ones beside 200 HIGH ones"),
        pytest.param(230, 40, {"order": 230, "click": 20}, id="§5 limits: both limits"),
    ],
)
async def test_a_profile_keeps_so_many_events(high: int, low: int, kept: dict[str, int]) -> None:
    async with tenant(Settings(event_types=(ORDER, CLICK))) as app:
        await write(app, *_many("order", high), *_many("click", low))
        kinds = [one["eventTypeId"] for one in await stored(app)]
        assert {kind: kinds.count(kind) for kind in set(kinds)} == kept


async def test_low_events_go_after_their_retention() -> None:
    async with tenant(Settings(event_types=(ORDER, CLICK), token_lifetime_s=10**9)) as app:
        await write(app, *_many("order", 1), *_many("click", 1))
        await app.control.advance(29 * 86_400)
        assert len(await stored(app)) == 2
        await app.control.advance(2 * 86_400)
        assert [one["eventTypeId"] for one in await stored(app)] == ["order"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        pytest.param({}, ["c", "b", "a"], id="§8 timeline: all, newest first"),
        pytest.param({"eventCount": "1"}, ["c"], id="§8 timeline: eventCount"),
        pytest.param({"eventTypeId": "click"}, ["b"], id="§8 timeline: eventTypeId"),
        pytest.param({"fromDate": "2025-01-02T00:00:00Z"}, ["c", "b"], id="§8 timeline: fromDate"),
        pytest.param({"toDate": "2025-01-02T00:00:00Z"}, ["b", "a"], id="§8 timeline: toDate"),
        pytest.param({"eventCount": "many", "fromDate": "x"}, ["c", "b", "a"], id="§8 timeline: unreadable filters"),
    ],
)
async def test_a_timeline_is_filtered(query: dict[str, str], ids: list[str]) -> None:
    async with tenant(Settings(event_types=(ORDER, EventType(id="click", name="Click")))) as app:
        await write(
            app,
            event(id="a"),
            event(id="b", eventTypeId="click", date="2025-01-02T00:00:00Z"),
            event(id="c", date="2025-01-03T00:00:00Z"),
        )
        answer = await app.http.get("/profiles/p", params={"expand": "profile.timeline", **query})
        assert [one["id"] for one in answer.json()["events"]] == ids


async def test_a_timeline_shows_20_events_unless_asked(blueconic: Tenant) -> None:
    await write(blueconic, *_many("order", 30))
    answer = await blueconic.http.get("/profiles/p?expand=profile.timeline")
    assert len(answer.json()["events"]) == 20


async def test_event_property_limits_the_data_of_events(blueconic: Tenant) -> None:
    await write(blueconic, event(data=[data("total_revenue", 1), data("note", "a")]))
    answer = await blueconic.http.get("/profiles/p?expand=profile.timeline&eventProperty=note&collapse=true")
    assert [values(one) for one in answer.json()["events"]] == [{"note": ["a"]}]
