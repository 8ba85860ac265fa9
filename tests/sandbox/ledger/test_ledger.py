"""The ledger: requests, effects and repeats."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.faults.fault import DropAfter, Latency
from sandbox.ledger.ledger import Ledger, LedgerFilter
from tests.sandbox.blueconic.tenants import Tenant, group, rule


async def test_an_entry_says_all_that_is_known_of_it(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("g"))
    [entry] = await blueconic.control.ledger()
    assert (entry.seq, entry.request, entry.endpoint) == (1, 2, "PUT /groups")
    assert (entry.object, entry.key, entry.identifier) == ("group/company", "g", "to-g")
    assert (entry.operation, entry.effect, entry.changed) == ("UPSERT", "CREATED", True)


async def test_profiles_and_their_events_are_entries_of_their_own(blueconic: Tenant) -> None:
    event = {"eventTypeId": "order", "id": "o1", "identifier": "e1"}
    await blueconic.put_profiles({"profileId": "p", "strategy": "UPSERT", "identifier": "i1", "timeline": [event]})
    entries = await blueconic.control.ledger()
    assert [(entry.object, entry.key, entry.identifier, entry.effect) for entry in entries] == [
        ("profile", "p", "i1", "CREATED"),
        ("timeline/order", "p/o1", "e1", "SET"),
    ]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        pytest.param(LedgerFilter(), ["a", "b", "x", "a"], id="all"),
        pytest.param(LedgerFilter(request=3), ["a"], id="request"),
        pytest.param(LedgerFilter(object="group/company"), ["a", "b", "a"], id="object"),
        pytest.param(LedgerFilter(key="a"), ["a", "a"], id="key"),
        pytest.param(LedgerFilter(identifier="to-b"), ["b"], id="identifier"),
        pytest.param(LedgerFilter(operation="DELETE"), ["a"], id="operation"),
        pytest.param(LedgerFilter(effect="UNKNOWN_GROUP_TYPE"), ["x"], id="effect"),
        pytest.param(LedgerFilter(changed=False), ["x"], id="changed"),
        pytest.param(LedgerFilter(endpoint="PUT /profiles"), [], id="endpoint"),
        pytest.param(LedgerFilter(after=2), ["x", "a"], id="after"),
        pytest.param(LedgerFilter(after=1, limit=2), ["b", "x"], id="limit"),
        pytest.param(LedgerFilter(key="a", effect="DELETED"), ["a"], id="several at once"),
        pytest.param(LedgerFilter(key="nowhere"), [], id="nothing fits"),
    ],
)
async def test_entries_are_found_by_any_field(blueconic: Tenant, wanted: LedgerFilter, keys: list[str]) -> None:
    await blueconic.put_groups(group("a"), group("b"), group("x", group_type="compny"))
    await blueconic.put_groups(group("a", strategy="DELETE"))
    assert [entry.key for entry in await blueconic.control.ledger(wanted)] == keys


async def test_the_summary_counts(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("a"), group("b"), group("x", group_type="compny"))
    await blueconic.http.put("/groups", content=b"?")
    await blueconic.control.add_fault(DropAfter(method="GET"))
    with pytest.raises(httpx.RemoteProtocolError):
        await blueconic.http.get("/groups/company/a")
    await blueconic.http.get("/nothing")
    summary = await blueconic.control.summary()
    assert summary.requests == {
        "POST /rest/v2/oauth/token 200": 1,
        "PUT /rest/v2/groups 200": 1,
        "PUT /rest/v2/groups 400": 1,
        "GET /rest/v2/groups/{grouptype}/{group} dropped": 1,
        "GET (no such route) 404": 1,
    }
    assert (summary.entries, summary.changed, summary.max_entries_per_request) == (3, 2, 3)
    assert summary.effects == {"group": {"CREATED": 2, "UNKNOWN_GROUP_TYPE": 1}}


async def test_the_summary_knows_how_many_requests_there_were_at_once(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Latency(seconds=600, times=3))
    async with asyncio.TaskGroup() as sending:
        for index in range(3):
            sending.create_task(blueconic.put_groups(group(f"g{index}")))
        while await blueconic.control.faults():
            pass
        await blueconic.control.advance(600)
    assert (await blueconic.control.summary()).max_concurrent == {"all": 3, "bulk": 3}


async def test_an_increment_that_happened_twice_shows(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("g"), group("h", p="1"), group("h", p="1"))
    entry = {**group("g"), "properties": [rule("INCREMENT", "1")], "identifier": "i1"}
    await blueconic.put_groups(entry)
    await blueconic.put_groups(entry)
    repeats = (await blueconic.control.summary()).repeats
    assert repeats is not None
    assert (repeats.received_more_than_once, repeats.changed_more_than_once) == (2, 1)
    assert [(one.identifier, one.received, one.changed) for one in repeats.first] == [("i1", 2, 2), ("to-h", 2, 1)]


async def test_a_summary_for_polling_leaves_the_repeats_out(blueconic: Tenant) -> None:
    assert (await blueconic.control.summary(repeats=False)).repeats is None


def _record(ledger: Ledger, request: int, keys: list[str]) -> None:
    ledger.record(
        at=0,
        request=request,
        endpoint="PUT /x",
        family="x",
        objects=[""] * len(keys),
        keys=keys,
        identifiers=[f"i-{key}" for key in keys],
        operations=["SET"] * len(keys),
        effects=["SET"] * len(keys),
        changed=[True] * len(keys),
    )


def test_the_oldest_entries_go_when_there_are_too_many_and_the_summary_says_so() -> None:
    ledger = Ledger(max_entries=5)
    for request in range(1, 5):
        _record(ledger, request, [f"{request}-{index}" for index in range(2)])
    assert [entry.seq for entry in ledger.entries(LedgerFilter())] == [5, 6, 7, 8]
    summary = ledger.summary(repeats=True)
    assert (summary.entries, summary.forgotten) == (8, 4)


def test_a_ledger_of_counts_keeps_no_entries() -> None:
    ledger = Ledger(mode="counts")
    _record(ledger, 1, ["a", "b"])
    summary = ledger.summary(repeats=True)
    assert (list(ledger.entries(LedgerFilter())), summary.entries, summary.repeats) == ([], 2, None)


@given(st.lists(st.text(), min_size=1))
def test_what_is_recorded_is_what_is_read(keys: list[str]) -> None:
    ledger = Ledger()
    _record(ledger, 7, keys)
    entries = list(ledger.entries(LedgerFilter()))
    assert [entry.key for entry in entries] == keys
    assert [entry.identifier for entry in entries] == [f"i-{key}" for key in keys]
    assert {entry.object for entry in entries} == {"x"}
