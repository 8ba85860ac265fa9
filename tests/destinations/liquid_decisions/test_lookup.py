"""Lookup: a lost create was applied where it is there as it was sent, and was not where nothing is."""

import asyncio
from typing import Any

import pytest

from sluice.destinations.contract import BatchError, Refused, Unavailable
from sluice.destinations.liquid_decisions.lookup import Found, Lookup
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate
from tests.destinations.liquid_decisions.offline import SETTINGS, Answer, Offline, account, item, json, lose
from tests.support.factories import NOON, encode_batch
from tests.support.instant_clock import instantly, now_s

THERE = json([item({"accountId": "same", "n": 1.0, "more": 2}), item({"accountId": "other", "n": 2})])


def _items(offline: Offline, *keys: str, operation: Any = "insert") -> list[Item]:
    return encode_batch(offline.destination, [account(key, operation, n=1) for key in keys]).items


def _lookup(offline: Offline) -> Lookup:
    return Lookup(SETTINGS, offline.queries)


def _in_doubt() -> InDoubt:
    lost_at_s = asyncio.get_running_loop().time()
    return InDoubt(batch_id="b", refs={}, requested_at=NOON, lost_at_s=lost_at_s)


@instantly
async def test_lost_creates_are_looked_up_once_proof_is_possible() -> None:
    offline = Offline({"sqlQuery": THERE})
    items, begun_s = _items(offline, "same", "other", "absent"), now_s()
    found = [outcome async for _, outcome in _lookup(offline).recover(items, _in_doubt())]
    assert [outcome and outcome.fate for outcome in found] == [Fate.DELIVERED, Fate.AMBIGUOUS, None]
    assert now_s() - begun_s >= SETTINGS.settle_s + SETTINGS.read_lag_s
    assert len(offline.made("sqlQuery")) == 1


@instantly
async def test_what_may_be_repeated_needs_no_question() -> None:
    offline = Offline({})
    items = _items(offline, "a", operation="upsert")
    assert [one async for one in _lookup(offline).recover(items, _in_doubt())] == [(items[0], None)]
    assert offline.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [pytest.param(lose, Unavailable, id="lost"), pytest.param(json({"error": "e"}, 400), Refused, id="refused")],
)
def test_questions_that_fail(answer: Answer, kind: type[BatchError]) -> None:
    @instantly
    async def check() -> None:
        offline = Offline({"sqlQuery": answer})
        with pytest.raises(kind):
            _ = [one async for one in _lookup(offline).recover(_items(offline, "a"), _in_doubt())]

    check()


async def test_a_delete_is_as_sent_where_nothing_is() -> None:
    offline = Offline({"sqlQuery": THERE})
    items = _items(offline, "same", "absent", operation="delete")
    assert await _lookup(offline).look_up(items) == [Found(True, False), Found(False, True)]
