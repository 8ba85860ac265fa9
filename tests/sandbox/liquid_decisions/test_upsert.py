"""``items/upsert`` as liquid_decisions.md §3 and §4 have it."""

from typing import Any

import pytest

from sandbox.faults.fault import MissingResults, OmitIdentifiers, ShuffleResults
from sandbox.ledger.ledger import LedgerFilter
from sandbox.liquid_decisions.faults import WrongCount
from sandbox.liquid_decisions.settings import ItemType, Settings
from tests.sandbox.liquid_decisions.service import BASE, Service, item, service

ACCOUNT = {
    "accountId": "ABC123",
    "name": "EXAMPLE",
    "exposure": 0.0,
    "creditBlock": True,
    "accountClass": "/Account/accountClass[invoiced]",
    "deliveryDays": ["Thu"],
    "phones": [{"phoneNumber": "2223334455", "phoneType": "office"}],
}
GOOD = b'{"headers":{"type":"Account","action":"Merge"},"data":{"accountId":"a"}}'
STRICT = ItemType(
    name="Account",
    key_fields=("accountId",),
    fields={
        "accountId": "string",
        "exposure": "number",
        "creditBlock": "boolean",
        "accountClass": "path",
        "deliveryDays": "strings",
        "phones": "blocks",
    },
)


async def test_the_documents_item_comes_back_as_it_was_sent(liquid: Service) -> None:
    headers = {"category": "entity", "type": "Account", "action": "Merge"}
    assert await liquid.upsert({"headers": headers, "data": ACCOUNT}) == {"count": 1}
    [found] = await liquid.items()
    assert found["data"] == ACCOUNT
    assert list(found["headers"]) == [
        *("id", "category", "type", "action", "revisionId", "createdAt", "updatedAt", "processedAt")
    ]


async def test_a_reject_echoes_the_item_with_the_documents_bytes(liquid: Service) -> None:
    await liquid.upsert(item("ABC123"))
    items = [item("x"), item("y"), item("ABC123", "Create", name="EXAMPLE")]
    answer = await liquid.http.post(f"{BASE}/items/upsert", json=items)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == (
        '{"count":3,"rejectedItems":[{"headers":{"category":"entity","type":"Account","action":"Create",'
        '"receiptType":"DuplicateKey","receiptMessage":"accountId ABC123 already exists"},'
        '"data":{"accountId":"ABC123","name":"EXAMPLE"}}]}'
    )


@pytest.mark.parametrize(
    ("written", "effect", "data"),
    [
        pytest.param(item("new", "Create", p=1), "Created", {"p": 1}, id="§3 Create, key absent"),
        pytest.param(item("old", "Create", p=1), "DuplicateKey", {"p": 0, "q": 0}, id="§3 Create, key exists"),
        pytest.param(item("new", "Merge", p=1), "Created", {"p": 1}, id="§3 Merge, key absent"),
        pytest.param(item("old", "Merge", p=1), "Merged", {"p": 1, "q": 0}, id="§3 Merge sets only the given fields"),
        pytest.param(item("old", "Merge", p=0), "Unchanged", {"p": 0, "q": 0}, id="§3 Merge is idempotent"),
        pytest.param(item("new", "Update", p=1), "Created", {"p": 1}, id="§3 Update, key absent"),
        pytest.param(item("old", "Update", p=1), "Replaced", {"p": 1}, id="§3 Update replaces the whole item"),
        pytest.param(item("old", "Update", p=0, q=0), "Unchanged", {"p": 0, "q": 0}, id="§3 Update is idempotent"),
        pytest.param(item("old", "Delete"), "Deleted", None, id="§3 Delete needs key fields only"),
        pytest.param(item("old", "Delete", **{"not a name": 1}), "Deleted", None, id="§3 Delete looks at no other"),
        pytest.param(item("new", "Delete"), "Absent", None, id="§3 Delete, key absent"),
    ],
)
async def test_each_action_has_its_effect(
    liquid: Service, written: dict[str, Any], effect: str, data: dict[str, Any] | None
) -> None:
    await liquid.upsert(item("old", p=0, q=0))
    await liquid.upsert(written)
    key = written["data"]["accountId"]
    found = {one.pop("accountId"): one for one in await liquid.data()}
    assert found.get(key) == data
    assert (await liquid.control.ledger())[-1].effect == effect


async def test_a_merged_array_replaces_the_stored_one(liquid: Service) -> None:
    await liquid.upsert(item("a", days=["Mon", "Tue"]), item("a", days=["Thu"]))
    assert await liquid.data() == [{"accountId": "a", "days": ["Thu"]}]


@pytest.mark.parametrize(
    ("settings", "action", "key", "effect"),
    [
        pytest.param(Settings(create_overrides=True), "Create", "old", "Replaced", id="§3 Create, switch: override"),
        pytest.param(Settings(update_needs_item=True), "Update", "new", "NotFound", id="§3 Update, switch: reject"),
        pytest.param(Settings(delete_needs_item=True), "Delete", "new", "NotFound", id="§3 Delete, switch: reject"),
    ],
)
async def test_the_switches_of_the_actions_act(settings: Settings, action: str, key: str, effect: str) -> None:
    async with service(settings) as liquid:
        await liquid.upsert(item("old", p=0))
        await liquid.upsert(item(key, action, p=1))
        assert (await liquid.control.ledger())[-1].effect == effect


def _with(headers: dict[str, Any], **data: Any) -> dict[str, Any]:
    one = item("a", **data)
    return {**one, "headers": {**one["headers"], **headers}}


@pytest.mark.parametrize(
    ("sent", "receipt"),
    [
        pytest.param(_with({"type": "Nothing"}), "UnknownType", id="§4 UnknownType"),
        pytest.param(_with({"type": 5}), "UnknownType", id="§4 UnknownType, no text"),
        pytest.param(_with({"category": "work"}), "UnknownType", id="§3 category of another type"),
        pytest.param(_with({"action": "Upsert"}), "UnknownAction", id="§4 UnknownAction"),
        pytest.param(_with({"action": ["Merge"]}), "UnknownAction", id="§4 UnknownAction, no text"),
        pytest.param({**item("a"), "data": {"name": "x"}}, "MissingKey", id="§4 MissingKey, absent"),
        pytest.param(_with({}, accountId=None), "MissingKey", id="§4 MissingKey, null"),
        pytest.param(_with({}, accountId=""), "MissingKey", id="§4 MissingKey, empty"),
        pytest.param(_with({}, accountId=["a"]), "InvalidField", id="§4 InvalidField, key"),
        pytest.param(_with({}, block={"p": 1}), "InvalidField", id="§4 InvalidField, an object alone"),
        pytest.param(_with({}, list=[1, 2]), "InvalidField", id="§4 InvalidField, array of numbers"),
        pytest.param(_with({}, list=["a", {}]), "InvalidField", id="§4 InvalidField, mixed array"),
        pytest.param(_with({}, h_id="x"), "InvalidField", id="§6 h_ is for headers"),
        pytest.param(_with({}, **{"a b": 1}), "InvalidField", id="§6 a field is a column"),
        pytest.param(_with({}, ACCOUNTID="x"), "InvalidField", id="§6 columns differ by more than case"),
    ],
)
async def test_a_bad_item_is_rejected_alone(liquid: Service, sent: dict[str, Any], receipt: str) -> None:
    answer = await liquid.upsert(item("before"), sent, item("after"))
    [reject] = answer["rejectedItems"]
    assert (answer["count"], reject["headers"]["receiptType"]) == (3, receipt)
    assert [one["accountId"] for one in await liquid.data()] == ["before", "after"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"name": "x"}, id="unknown field"),
        pytest.param({"exposure": "1"}, id="no number"),
        pytest.param({"exposure": True}, id="a boolean is no number"),
        pytest.param({"creditBlock": 1}, id="no boolean"),
        pytest.param({"accountClass": "invoiced"}, id="no path"),
        pytest.param({"deliveryDays": "Thu"}, id="no array"),
        pytest.param({"phones": ["1"]}, id="no blocks"),
    ],
)
async def test_a_configured_schema_is_strict(data: dict[str, Any]) -> None:
    async with service(Settings(item_types=(STRICT,))) as liquid:
        answer = await liquid.upsert(item("a", **data))
    assert answer["rejectedItems"][0]["headers"]["receiptType"] == "InvalidField"


async def test_a_configured_schema_takes_what_the_document_shows() -> None:
    async with service(Settings(item_types=(STRICT,))) as liquid:
        data = {name: value for name, value in ACCOUNT.items() if name != "name"}
        paths = {"accountClass": "/Account/accountFamily[]/group[]"}
        assert await liquid.upsert(item("a", **data), item("b", **paths)) == {"count": 2}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="§4 empty"),
        pytest.param(b"nonsense", id="§4 not JSON"),
        pytest.param(b'{"headers":{},"data":{}}', id="§4 not an array"),
        pytest.param(b"[%s" % GOOD, id="§4 cut off"),
        pytest.param(b"[%s,1]" % GOOD, id="§4 an element that is no object"),
        pytest.param(b'[%s,{"headers":{}}]' % GOOD, id="§4 no data"),
        pytest.param(b'[%s,{"data":{}}]' % GOOD, id="§4 no headers"),
        pytest.param(b'[%s,{"headers":[],"data":{}}]' % GOOD, id="§4 headers no object"),
        pytest.param(b'[%s,{"headers":{},"data":"x"}]' % GOOD, id="§4 data no object"),
        pytest.param(b'[%s,{"headers":{},"data":{"a":"\xff"}}]' % GOOD, id="§1 not UTF-8"),
        pytest.param(b"[%s,%s" % (GOOD, b"[" * 5000), id="too deep"),
    ],
)
async def test_a_malformed_request_is_a_400_and_applies_nothing(liquid: Service, body: bytes) -> None:
    answer = await liquid.http.post(f"{BASE}/items/upsert", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert await liquid.items() == []


async def test_an_empty_array_counts_nothing(liquid: Service) -> None:
    assert await liquid.upsert() == {"count": 0}


async def test_types_and_actions_may_be_mixed_and_keys_be_composite(liquid: Service) -> None:
    line = {"headers": {"category": "work", "type": "OrderLine", "action": "Merge"}}
    await liquid.upsert(
        item("a"),
        {**line, "data": {"orderId": "1", "lineNumber": 1, "sku": "x"}},
        {**line, "data": {"orderId": "1", "lineNumber": 2}},
        {**line, "data": {"orderId": "1", "lineNumber": "1", "sku": "y"}},
    )
    assert [one.get("sku") for one in await liquid.data("OrderLine")] == ["y", None]
    entries = await liquid.control.ledger(LedgerFilter(object="item/OrderLine"))
    assert [one.key for one in entries] == ['["1","1"]', '["1","2"]', '["1","1"]']


async def test_items_are_applied_in_list_order(liquid: Service) -> None:
    answer = await liquid.upsert(item("a", "Create"), item("a", "Create"), item("a", "Delete"), item("a", "Create"))
    assert len(answer["rejectedItems"]) == 1
    assert [one.effect for one in await liquid.control.ledger()] == ["Created", "DuplicateKey", "Deleted", "Created"]


async def test_the_count_can_leave_rejects_out() -> None:
    async with service(Settings(count_leaves_out_rejected=True)) as liquid:
        answer = await liquid.upsert(item("a"), item("", "Merge"))
    assert (answer["count"], len(answer["rejectedItems"])) == (1, 1)


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        pytest.param(Settings(max_upsert_items=1), 413, id="§12 items"),
        pytest.param(Settings(max_upsert_bytes=20), 413, id="§12 bytes"),
        pytest.param(Settings(), 200, id="§12 off by default"),
    ],
)
async def test_a_ceiling_is_a_413(settings: Settings, status: int) -> None:
    async with service(settings) as liquid:
        answer = await liquid.http.post(f"{BASE}/items/upsert", json=[item("a"), item("b")])
    assert answer.status_code == status


async def test_headers_tell_of_revisions(liquid: Service) -> None:
    await liquid.upsert(item("a", p=1))
    [first] = await liquid.items()
    await liquid.upsert(item("a", "Update", p=1))
    [same] = await liquid.items()
    await liquid.upsert(item("a", p=2))
    [changed] = await liquid.items()
    headers = [one["headers"] for one in (first, same, changed)]
    assert [one["revisionId"] for one in headers] == [1, 1, 2]
    assert [one["action"] for one in headers] == ["Merge", "Update", "Merge"]
    assert len({one["id"] for one in headers} | {one["createdAt"] for one in headers}) == 2
    assert headers[0]["updatedAt"] == headers[1]["updatedAt"] < headers[2]["updatedAt"]
    assert headers[0]["processedAt"] < headers[1]["processedAt"] < headers[2]["processedAt"]


async def test_a_client_id_identifies_an_item_in_the_ledger(liquid: Service) -> None:
    await liquid.upsert(_with({"clientId": "c-1"}), _with({"clientId": "c-1"}, p=1))
    summary = await liquid.control.summary()
    assert summary.repeats is not None
    assert (summary.entries, summary.changed, summary.repeats.changed_more_than_once) == (2, 2, 1)
    assert (await liquid.items())[0]["headers"]["clientId"] == "c-1"


async def test_rejects_can_be_lost_shuffled_and_blurred(liquid: Service) -> None:
    items = [item(f"k{number}", "Nothing") for number in range(20)]
    for fault in (MissingResults(count=5), ShuffleResults(), OmitIdentifiers()):
        await liquid.control.add_fault(fault)
    answer = await liquid.upsert(*items)
    assert (answer["count"], len(answer["rejectedItems"])) == (20, 15)
    assert all(reject["data"] == {} for reject in answer["rejectedItems"])


async def test_the_count_can_be_wrong(liquid: Service) -> None:
    await liquid.control.add_fault(WrongCount(by=-1))
    assert [await liquid.upsert(item("a")), await liquid.upsert(item("a"))] == [{"count": 0}, {"count": 1}]
