"""Upserts: each item has its own outcome, and a reject that names nobody does not taint the others."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Refused
from sluice.destinations.liquid_decisions.upserts import json_array
from sluice.events import Operation
from sluice.flow.outcome import Fate
from tests.destinations.liquid_decisions.offline import Answer, Offline, account, item, json, lose
from tests.support.factories import encode_batch, send_now

KEYS = ("a", "b", "c")
D, R, A, T, S = Fate.DELIVERED, Fate.REJECTED, Fate.AMBIGUOUS, Fate.RETRYABLE, Fate.SKIPPED


def reject(data: Any, **headers: Any) -> dict[str, Any]:
    named = {"type": "Account", "receiptType": "InvalidField", "receiptMessage": "why", **headers}
    return {"headers": named, "data": data}


def answered(count: int, *rejects: Mapping[str, Any]) -> httpx.Response:
    return json({"count": count, **({"rejectedItems": rejects} if rejects else {})})


async def _fates(
    answer: Answer, *, keys: Sequence[str] = KEYS, operation: Operation = "upsert", there: Answer | None = None
) -> list[tuple[Fate, str]]:
    offline = Offline({"upsert": answer, "sqlQuery": there or json([])})
    batch = encode_batch(offline.destination, [account(key, operation, n=1) for key in keys])
    outcomes = await offline.destination.write(batch, send_now)
    return [(outcome.fate, outcome.code) for outcome in outcomes]


async def test_a_batch_is_one_array() -> None:
    offline = Offline({"upsert": answered(2)})
    batch = encode_batch(offline.destination, [account("a"), account("b", "delete")])
    await offline.destination.write(batch, send_now)
    [request] = offline.made("upsert")
    assert request.content == b"[" + b",".join(item.encoded.body for item in batch.items) + b"]"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("answer", "fates"),
    [
        pytest.param(answered(3), [D, D, D], id="all"),
        pytest.param(answered(3, reject({"accountId": "b"})), [D, R, D], id="one rejected, counted"),
        pytest.param(answered(2, reject({"accountId": " B "})), [D, R, D], id="one rejected, not counted"),
        pytest.param(answered(4), [A, A, A], id="a wrong count"),
        pytest.param(answered(1, reject({"accountId": "b"})), [A, R, A], id="a wrong count beside a reject"),
        pytest.param(answered(3, *[reject({"accountId": key}) for key in KEYS]), [R, R, R], id="all rejected"),
        pytest.param(answered(3, reject({"accountId": "c", "n": 1}, type=None)), [D, D, R], id="by equal data"),
        pytest.param(answered(3, *[reject({})] * 3), [R, R, R], id="as many as there are"),
    ],
)
async def test_each_item_has_the_outcome_that_the_answer_tells(answer: httpx.Response, fates: list[Fate]) -> None:
    assert [fate for fate, _ in await _fates(answer)] == fates


async def test_the_reason_is_the_vendors_whatever_it_is() -> None:
    odd = [reject({"accountId": "a"}, receiptType=7, receiptMessage=None), reject({"accountId": "b"}, receiptType=None)]
    assert await _fates(answered(3, *odd)) == [(R, "7"), (R, "rejected"), (D, "accepted")]


@pytest.mark.parametrize("answer", [lose, httpx.Response(200, text="<html>"), json({}), json([]), json({"count": "x"})])
async def test_an_answer_without_a_count_proves_nothing(answer: Answer) -> None:
    with pytest.raises(Ambiguous):
        await _fates(answer)


def _as_sent(*keys: str) -> httpx.Response:
    return json([item({"accountId": key, "n": 1}) for key in keys])


async def test_a_request_of_one_item_needs_no_match() -> None:
    assert await _fates(answered(1, reject({})), keys=["a"]) == [(R, "InvalidField")]


async def test_an_unmatched_reject_is_of_the_item_that_is_not_there_as_it_was_sent() -> None:
    assert await _fates(answered(3, reject({})), there=_as_sent("a", "c")) == [
        (D, "accepted"),
        (R, "InvalidField"),
        (D, "accepted"),
    ]


@pytest.mark.parametrize("there", [pytest.param(_as_sent("a"), id="too few"), pytest.param(lose, id="not readable")])
async def test_the_same_request_is_not_sent_again_with_an_unmatched_reject(there: Answer) -> None:
    with pytest.raises(Refused) as error:
        await _fates(answered(3, reject(None)), there=there)
    assert error.value.code == "unmatched-reject"


async def test_creates_are_not_sent_again_for_an_unmatched_reject() -> None:
    fates = await _fates(answered(3, reject({})), operation="insert", there=_as_sent("a"))
    assert fates == [(D, "accepted"), (A, "unmatched-reject"), (A, "unmatched-reject")]


@pytest.mark.parametrize(
    ("there", "fate"),
    [
        pytest.param(json([]), S, id="nothing is there"),
        pytest.param(_as_sent("a"), R, id="it is there"),
        pytest.param(lose, T, id="nobody can tell now"),
    ],
)
async def test_a_delete_that_was_rejected_has_nothing_to_do_where_nothing_is(there: Answer, fate: Fate) -> None:
    rejected = answered(1, reject({"accountId": "a"}, receiptType="NotFound"))
    assert await _fates(rejected, keys=["a"], operation="delete", there=there) == [(fate, "NotFound")]


@pytest.mark.parametrize(("status", "kind"), [(400, Refused), (413, Refused), (500, Ambiguous)])
async def test_a_request_that_fails_as_a_whole(status: int, kind: type[BatchError]) -> None:
    with pytest.raises(kind):
        await _fates(json({"error": "e"}, status))


def test_an_array_of_bodies() -> None:
    assert json_array([b"1"]) == b"[1]"
    assert json_array([b"1", b"2", b"3"]) == b"[1,2,3]"
