"""Comparison: an import's items are seen in the feed, or by their keys where others change far more."""

from typing import Any

import httpx
import pytest

from sluice.destinations.contract import Unavailable
from sluice.destinations.liquid_decisions.comparison import Comparison, rows_of
from sluice.destinations.liquid_decisions.feed import Feed
from sluice.destinations.liquid_decisions.sent_rows import DIFFERENT, EQUAL, UNSEEN
from tests.destinations.liquid_decisions.offline import DATE_MS, Offline, account, item, json, lose
from tests.support.factories import encode_batch

EVENTS = [account(f"k{n}", n=n) for n in range(3)]


def _page(*items: dict[str, Any], last: str | None = "a1") -> httpx.Response:
    return json({"items": items, "maxProcessedAt": DATE_MS, "lastId": last})


def _other(n: int) -> dict[str, Any]:
    return item({"accountId": f"other{n}"})


async def _compared(offline: Offline, *, looks: int = 1, overlap_s: float = 0.0) -> tuple[list[int], Comparison]:
    items = encode_batch(offline.destination, EVENTS).items

    async def sent() -> Any:
        for one in items:
            yield one

    comparison = Comparison("Account", DATE_MS - 5_000, await rows_of(sent(), ("accountId",)))
    for _ in range(looks):
        await comparison.look(Feed(offline.calls, 10), offline.queries, sent, overlap_s=overlap_s)
    return [state for _, state in comparison.rows.states()], comparison


async def test_the_feed_tells_what_was_changed() -> None:
    seen = [
        item({"accountId": "K0", "n": 0.0}),
        item({"accountId": "k2", "n": 7}),
        item({"name": "keyless"}),
        _other(1),
    ]
    offline = Offline({"updates": [_page(*seen), _page()]})
    states, _ = await _compared(offline)
    assert sorted(states) == [UNSEEN, DIFFERENT, EQUAL]
    assert offline.forms("updates")[0]["processedAfter"] == str(DATE_MS - 5_001)


async def test_what_is_of_another_import_is_shown_to_it_unless_it_is_older() -> None:
    seen = [item({"accountId": f"k{n}", "n": n}) for n in range(3)]
    seen += [item({"accountId": "mine"}), item({"accountId": "old"}, processed_ms=DATE_MS - 9_000)]
    offline = Offline({"updates": [_page(*seen), _page()]})
    _, other = await _compared(offline, looks=0)
    own = Comparison("Account", DATE_MS - 10_000, await rows_of(_items(offline, "mine", "old"), ("accountId",)))
    await own.look(Feed(offline.calls, 10), offline.queries, _nothing, overlap_s=0.0, others=[other])
    assert own.is_seen
    assert other.is_seen
    made = len(offline.made("updates"))
    await other.look(Feed(offline.calls, 10), offline.queries, _nothing, overlap_s=9.0)
    assert len(offline.made("updates")) == made


async def test_an_item_that_is_older_than_the_import_is_not_of_it() -> None:
    offline = Offline({"updates": [_page(item({"accountId": "k0", "n": 0}, processed_ms=DATE_MS - 9_000)), _page()]})
    _, other = await _compared(offline, looks=0)
    own = Comparison("Account", DATE_MS - 10_000, await rows_of(_items(offline, "mine"), ("accountId",)))
    await own.look(Feed(offline.calls, 10), offline.queries, _nothing, overlap_s=0.0, others=[other])
    assert other.rows.count(UNSEEN) == 3


async def _items(offline: Offline, *keys: str) -> Any:
    for one in encode_batch(offline.destination, [account(key) for key in keys]).items:
        yield one


async def _nothing() -> Any:
    for nothing in list[Any]():
        yield nothing


async def test_the_next_look_goes_on_a_little_before_the_end_of_the_last() -> None:
    offline = Offline({"updates": [_page(_other(1)), _page(), _page()]})
    await _compared(offline, looks=2, overlap_s=2.0)
    assert [form["processedAfter"] for form in offline.forms("updates")][2] == str(DATE_MS - 2_001)


async def test_keys_are_asked_for_where_others_change_far_more() -> None:
    found = [
        item({"accountId": "k0", "n": 0}),
        item({"accountId": "k1", "n": 1}, processed_ms=DATE_MS - 9_000),
        item({"accountId": "k2", "n": 9}),
    ]
    offline = Offline({"updates": _page(*map(_other, range(10))), "sqlQuery": json(found)})
    states, _ = await _compared(offline)
    # What was there before as it was sent was not written by the import.
    assert sorted(states) == [UNSEEN, DIFFERENT, EQUAL]
    assert len(offline.made("updates")) == 1
    assert "'k0', 'k1', 'k2'" in offline.forms("sqlQuery")[0]["query"]


async def test_keys_that_cannot_be_asked_for_stay_unseen() -> None:
    refused = json({"error": "no such table"}, 400)
    offline = Offline({"updates": _page(*map(_other, range(10))), "sqlQuery": refused})
    states, _ = await _compared(offline)
    assert states == [UNSEEN] * 3


async def test_a_look_that_fails_says_so() -> None:
    with pytest.raises(Unavailable):
        await _compared(Offline({"updates": [_page(item({"accountId": "k0", "n": 0})), lose]}))
