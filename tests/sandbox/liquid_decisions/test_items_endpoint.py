"""The audit of items: how often each action was applied, in which order, and the data as it is."""

import pytest

from sandbox.liquid_decisions.settings import Settings
from tests.sandbox.liquid_decisions.service import Service, item, service

BY_NUMBER = Settings(identifier_field="seq")


async def test_an_item_has_the_writes_of_both_roads_in_their_order() -> None:
    async with service(BY_NUMBER) as liquid:
        await liquid.upsert(item("a", "Create", seq=1))
        await liquid.imported([item("a", seq=2)], merge="True")
        await liquid.upsert(item("a", "Update", seq=3), item("b", seq=4))
        [one] = await liquid.control.items("Account", "a")
    assert [(write.action, write.identifier, write.effect) for write in one.writes] == [
        ("Create", "1", "Created"),
        ("Merge", "2", "Merged"),
        ("Update", "3", "Replaced"),
    ]
    assert [write.endpoint for write in one.writes] == [
        "POST /ls/api/items/upsert",
        "POST /ls/api/batch/import",
        "POST /ls/api/items/upsert",
    ]
    assert one.applied == one.changed == {"Create": 1, "Merge": 1, "Update": 1}
    assert isinstance(one.item, dict)
    assert one.item["data"] == {"accountId": "a", "seq": 3}


async def test_a_repeat_is_applied_and_changes_nothing(liquid: Service) -> None:
    for _ in range(3):
        await liquid.upsert(item("a", p=1))
    [one] = await liquid.control.items()
    assert (one.applied, one.changed) == ({"Merge": 3}, {"Merge": 1})


async def test_a_reject_is_a_write_that_was_not_applied(liquid: Service) -> None:
    await liquid.upsert(item("a", "Create"))
    await liquid.upsert(item("a", "Create"))
    [one] = await liquid.control.items()
    assert (one.applied, [write.effect for write in one.writes]) == ({"Create": 1}, ["Created", "DuplicateKey"])


async def test_a_deleted_item_is_told_without_data(liquid: Service) -> None:
    await liquid.upsert(item("a"), item("a", "Delete"), item("a", "Delete"))
    [one] = await liquid.control.items(key="a")
    assert (one.item, one.applied, one.changed) == (None, {"Merge": 1, "Delete": 2}, {"Merge": 1, "Delete": 1})


async def test_items_are_told_apart_by_type_and_key(liquid: Service) -> None:
    line = {"headers": {"type": "OrderLine", "action": "Merge"}, "data": {"orderId": "1", "lineNumber": 2}}
    await liquid.upsert(item("1"), line)
    assert [(one.item_type, one.key) for one in await liquid.control.items()] == [
        ("Account", "1"),
        ("OrderLine", '["1","2"]'),
    ]
    assert [one.key for one in await liquid.control.items("Account")] == ["1"]


async def test_five_is_one_key_whatever_its_type(liquid: Service) -> None:
    """§15: keys compare as text on write."""
    for key in (5, 5.0, "5"):
        await liquid.upsert({"headers": {"type": "Account", "action": "Merge"}, "data": {"accountId": key}})
    [one] = await liquid.control.items()
    assert (one.key, one.applied) == ("5", {"Merge": 3})


async def test_the_data_are_those_of_the_community_asked_for() -> None:
    async with service(Settings(communities=("ACME", "GLOBEX"))) as liquid:
        await liquid.upsert(item("a"))
        [here], [there] = await liquid.control.items(), await liquid.control.items(community="GLOBEX")
    assert (here.item is None, there.item is None) == (False, True)


@pytest.mark.parametrize("query", ["community=NONE", "keys=a"])
async def test_a_wrong_query_is_a_400(liquid: Service, query: str) -> None:
    assert (await liquid.http.get(f"/_sandbox/items?{query}")).status_code == 400
