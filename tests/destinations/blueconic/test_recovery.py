"""Recovery of a write whose answer was lost: what counts as a proof."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from sluice.destinations.blueconic.recovery import MAX_FAILURES
from sluice.destinations.contract import Unavailable
from sluice.events import Key, Operation, RecordEvent
from sluice.flow.batch import InDoubt
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.blueconic.offline import SETTINGS, Answer, answering
from tests.support.factories import NOON, encode_batch, record
from tests.support.instant_clock import instantly, now_s, run_instantly

SENT_AT = NOON
"""The vendor's clock before the write was sent."""
ONE_MORE = {"visits": {"increment": 1}}
PROOF_AFTER_S = SETTINGS.settle_s + SETTINGS.read_lag_s


def lost_now(vendor_at: datetime | None = SENT_AT) -> InDoubt:
    """A request whose answer is lost now, sent by a machine whose clock is an hour ahead."""
    requested_at = NOON + timedelta(hours=1)
    return InDoubt(batch_id="b-1", refs={}, requested_at=requested_at, lost_at_s=now_s(), vendor_at=vendor_at)


async def ask(
    answer: Answer | httpx.Response, events: Sequence[RecordEvent], vendor_at: datetime | None = SENT_AT
) -> list[Outcome | None]:
    """Recover ``events``, whose answer is lost now; return what is found in their order."""

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        return answer if isinstance(answer, httpx.Response) else answer(request)

    destination = answering(respond)
    batch = encode_batch(destination, events)
    found = {item.row: outcome async for item, outcome in destination.recover(batch, lost_now(vendor_at))}
    return [found[item.row] for item in batch.items]


def recover(
    answer: Answer | httpx.Response, events: Sequence[RecordEvent], vendor_at: datetime | None = SENT_AT
) -> list[Outcome | None]:
    return run_instantly(ask(answer, events, vendor_at))


def group(modified_at: datetime | str | None) -> httpx.Response:
    text = modified_at.isoformat() if isinstance(modified_at, datetime) else modified_at
    return httpx.Response(200, json={"id": "c-1", "groupTypeId": "company", "lastModifiedDate": text})


def test_what_is_safe_to_repeat_is_sent_again_without_asking() -> None:
    def unasked(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    assert recover(unasked, [record(data={"name": "x"})]) == [None]


@pytest.mark.parametrize(
    ("answer", "unapplied"),
    [
        pytest.param(httpx.Response(404), True, id="it is not there"),
        pytest.param(group(SENT_AT - timedelta(milliseconds=1)), True, id="unchanged since before"),
        pytest.param(group(SENT_AT), False, id="changed in the second in which it was sent"),
        pytest.param(group(SENT_AT + timedelta(minutes=1)), False, id="changed since"),
        pytest.param(group(None), False, id="no date"),
        pytest.param(group("2020-01-01T00:00:00"), False, id="a date without a zone"),
        pytest.param(group("long ago"), False, id="no date at all"),
        pytest.param(httpx.Response(200, content=b"<html>"), False, id="html"),
        pytest.param(httpx.Response(401), False, id="no right to read"),
        pytest.param(httpx.Response(403), False, id="no right to read, by 403"),
        pytest.param(httpx.Response(400), False, id="400"),
        pytest.param(httpx.Response(501), False, id="501"),
    ],
)
def test_an_increment_is_sent_again_only_if_proven_not_applied(answer: httpx.Response, unapplied: bool) -> None:
    (found,) = recover(answer, [record(data=ONE_MORE)])
    assert (found is None) == unapplied
    if found is not None:
        assert (found.fate, found.code) == (Fate.AMBIGUOUS, "no-answer")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_while_the_vendor_cannot_be_asked_nothing_is_decided(status: int) -> None:
    with pytest.raises(Unavailable):
        recover(httpx.Response(status), [record(key=str(row), data=ONE_MORE) for row in range(3)])


def test_each_item_has_its_own_answer() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if request.url.path.endswith("/c-1") else group(SENT_AT)

    events = [record(key="c-0", data=ONE_MORE), record(key="c-1", data=ONE_MORE), record(key="c-2", data={"name": "x"})]
    found = recover(answer, events)
    assert [outcome and outcome.fate for outcome in found] == ["ambiguous", None, None]


@pytest.mark.parametrize(
    ("object_", "key", "asked"),
    [
        pytest.param("group/company", "c-1", "/rest/v2/groups/company/c-1", id="a group"),
        pytest.param("group/a b", "é/1?x%", "/rest/v2/groups/a%20b/%C3%A9%2F1%3Fx%25", id="an awkward group"),
        pytest.param("profile", "p-1", "/rest/v2/profiles/p-1", id="a profile by its id"),
        pytest.param("profile", {"email": "a+b@c"}, "/rest/v2/profiles?property=email&value=a%2Bb%40c", id="a search"),
    ],
)
def test_records_are_looked_up_by_their_key(object_: str, key: Key, asked: str) -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        return httpx.Response(404)

    recover(answer, [record(object_, key=key, data=ONE_MORE)])
    assert paths == [asked]


@pytest.mark.parametrize(
    ("operation", "key", "data", "answer", "unapplied"),
    [
        pytest.param("upsert", {"email": "x"}, ONE_MORE, {"profiles": []}, True, id="no such profile"),
        pytest.param("upsert", {"email": "x"}, ONE_MORE, {"profiles": [{"id": "p"}]}, False, id="there is one"),
        pytest.param("upsert", {"email": "x"}, {"email": "y"}, {"profiles": []}, False, id="it may have a new name"),
        pytest.param("update", [{"email": "x"}, {"crm": "1"}], ONE_MORE, {"profiles": []}, False, id="alternatives"),
        pytest.param("update", {"a": "1", "b": "2"}, ONE_MORE, {"profiles": []}, False, id="several properties"),
        pytest.param("update", "p-1", ONE_MORE, {"id": "p-1"}, False, id="it is there by its id"),
        pytest.param("update", "k" * 9000, ONE_MORE, {"id": "p-1"}, False, id="a key too long to ask for"),
    ],
)
def test_a_profile_is_proven_untouched_only_by_its_absence(
    operation: Operation, key: Key, data: Any, answer: dict[str, Any], unapplied: bool
) -> None:
    (found,) = recover(httpx.Response(200, json=answer), [record("profile", operation, key, data)])
    assert (found is None) == unapplied


@instantly
async def test_vendor_is_given_time_to_finish_and_to_show_it() -> None:
    asked_at_s: list[float] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked_at_s.append(now_s())
        return httpx.Response(404)

    lost_at_s = now_s()
    assert await ask(answer, [record(data=ONE_MORE)]) == [None]
    assert asked_at_s == [pytest.approx(lost_at_s + PROOF_AFTER_S)]


def test_nothing_is_proven_by_a_modification_when_the_vendors_clock_was_not_known() -> None:
    (found,) = recover(group(SENT_AT - timedelta(days=1)), [record(data=ONE_MORE)], None)
    assert found is not None
    assert found.fate is Fate.AMBIGUOUS


@instantly
async def test_what_is_found_is_told_though_a_question_fails_and_only_that_is_asked_again() -> None:
    failing = {"c-3", "c-7"}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503 if request.url.path.rpartition("/")[2] in failing else 404)

    destination = answering(answer)
    batch = encode_batch(destination, [record(key=f"c-{row}", data=ONE_MORE) for row in range(10)])
    found: list[int] = []

    async def look_up() -> None:
        async for item, _ in destination.recover(batch, lost_now()):
            found.append(item.row)

    with pytest.raises(Unavailable):
        await look_up()
    assert sorted(found) == [0, 1, 2, 4, 5, 6, 8, 9]


@instantly
async def test_vendor_that_is_away_is_asked_few_questions() -> None:
    requests: list[httpx.Request] = []
    destination = answering(httpx.Response(503, headers={"retry-after": "7"}), requests=requests)
    batch = encode_batch(destination, [record(key=f"c-{row}", data=ONE_MORE) for row in range(100)])
    with pytest.raises(Unavailable) as error:
        await anext(destination.recover(batch, lost_now()))
    assert error.value.retry_after_s == 7
    assert MAX_FAILURES <= len(requests) <= MAX_FAILURES + 1


@instantly
async def test_questions_end_with_who_asks_them() -> None:
    never = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        await never.wait()
        raise AssertionError

    destination = answering(hang)
    batch = encode_batch(destination, [record(key=f"c-{row}", data=ONE_MORE) for row in range(3)])

    asking = asyncio.ensure_future(anext(destination.recover(batch, lost_now())))
    await asyncio.sleep(PROOF_AFTER_S + 1)
    asking.cancel()
    await asyncio.wait([asking])
    assert asyncio.all_tasks() == {asyncio.current_task()}
