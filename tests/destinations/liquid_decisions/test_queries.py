"""Queries: items by their keys, in both forms of a number, and the newest instant of a type."""

from typing import Any

import httpx
import pytest

from sluice.destinations.contract import BatchError, Misconfigured, Refused, Unavailable
from sluice.destinations.liquid_decisions.queries import FoundItem
from tests.destinations.liquid_decisions.offline import (
    ACCOUNT,
    DATE_MS,
    Answer,
    Offline,
    item,
    json,
    lose,
    settings_with,
)


async def _found(offline: Offline, name: str, *keys: dict[str, Any]) -> dict[str, Any]:
    return {identity: found.data async for identity, found in offline.queries.by_key(name, keys)}


@pytest.mark.parametrize(
    ("key", "condition"),
    [
        pytest.param("A'b", "accountId IN ('A''b', 'a''b')", id="a text, and as it may be kept"),
        pytest.param("a", "accountId IN ('a')", id="a text that folds to itself"),
        pytest.param("5", "accountId IN ('5', 5)", id="a number as a text"),
        pytest.param(5.0, "accountId IN ('5.0', '5', 5)", id="a number"),
        pytest.param("-1.50", "accountId IN ('-1.50', '-1.5', -1.5)", id="a fraction"),
    ],
)
async def test_items_are_asked_for_by_all_forms_of_their_key(key: Any, condition: str) -> None:
    offline = Offline({"sqlQuery": json([])})
    assert await _found(offline, "Account", {"accountId": key}) == {}
    [form] = offline.forms("sqlQuery")
    assert form == {
        "query": f"SELECT h_id FROM acme_entity_Account WHERE {condition}",
        "itemType": "Account",
        "faultBlocks": "true",
    }


async def test_a_key_of_several_fields_and_a_table_of_ones_own() -> None:
    lines = Offline({"sqlQuery": json([])})
    await _found(lines, "OrderLine", {"orderId": "x", "lineNumber": 1}, {"orderId": "y", "lineNumber": "2"})
    assert lines.forms("sqlQuery")[0]["query"] == (
        "SELECT h_id FROM acme_work_OrderLine WHERE (orderId IN ('x') AND lineNumber IN ('1', 1)) OR "
        "(orderId IN ('y') AND lineNumber IN ('2', 2))"
    )
    own = Offline(
        {"sqlQuery": json([])}, settings_with(types={"Account": type(ACCOUNT)(key_fields=("a",), table="s.t")})
    )
    await _found(own, "Account", {"a": "x"})
    assert " FROM s.t WHERE" in own.forms("sqlQuery")[0]["query"]


async def test_keys_are_asked_for_200_at_a_time_and_items_are_known_by_their_folded_key() -> None:
    offline = Offline(
        {"sqlQuery": [json([item({"accountId": " A "}), item({"name": "keyless"})]), json([item({"accountId": 7})])]}
    )
    keys = [{"accountId": f"k{n}"} for n in range(201)]
    assert await _found(offline, "Account", *keys) == {
        "Account\0a": {"accountId": " A "},
        "Account\x007": {"accountId": 7},
    }
    assert [form["query"].count("'") // 2 for form in offline.forms("sqlQuery")] == [200, 1]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(json({"error": "no such table"}, 400), Refused, id="400"),
        pytest.param(json({"a": 1}), Unavailable, id="no items"),
        pytest.param(lose, Unavailable, id="lost"),
    ],
)
async def test_items_that_cannot_be_read(answer: Answer, kind: type[BatchError]) -> None:
    with pytest.raises(kind):
        await _found(Offline({"sqlQuery": answer}), "Account", {"accountId": "a"})


@pytest.mark.parametrize(
    ("answer", "newest"),
    [
        pytest.param(json([{"newest": DATE_MS}]), DATE_MS, id="an instant"),
        pytest.param(json([{"newest": float(DATE_MS)}]), DATE_MS, id="an instant as a float"),
        pytest.param(json([{"newest": None}]), 0, id="no item yet"),
        pytest.param(json([{"newest": "2026-01-05"}]), None, id="a date"),
        pytest.param(json([{"newest": 12}]), None, id="no number of milliseconds"),
        pytest.param(json([]), None, id="no row"),
        pytest.param(json({"error": "no such function"}, 400), None, id="a refused query"),
    ],
)
async def test_the_newest_instant_is_told_where_it_can_be_had(answer: httpx.Response, newest: int | None) -> None:
    assert await Offline({"sqlQuery": answer}).queries.newest_ms("Account") == newest


async def test_a_table_that_is_not_there_is_told() -> None:
    with pytest.raises(Refused):
        await Offline({"sqlQuery": json({"error": "no"}, 400)}).queries.expect_table("Account")
    with pytest.raises(Misconfigured):
        await Offline({"sqlQuery": json({"error": "no"}, 404)}).queries.expect_table("Account")


def test_an_item_knows_whether_it_was_processed_before() -> None:
    found = FoundItem()
    assert not found.is_older_than(DATE_MS)
