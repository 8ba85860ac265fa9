"""Recovery of a write whose answer was lost: what counts as a proof."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest

from sluice.destinations.blueconic.recovery import MAX_FAILURES, STRANGERS_S
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Recovered, Unavailable
from sluice.events import Key, RecordEvent
from sluice.flow.batch import InDoubt
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.blueconic.offline import ABSENT, SETTINGS, Answer, answering, created
from tests.support.factories import NOON, encode_batch, record, send_now
from tests.support.instant_clock import instantly, now_s, run_instantly

SENT_AT = NOON
"""The vendor's clock before the write was sent."""
ONE_MORE = {"visits": {"increment": 1}}
PROOF_AFTER_S = SETTINGS.settle_s + SETTINGS.read_lag_s


def lost_now() -> InDoubt:
    """A request whose answer is lost now, sent by a machine whose clock is an hour ahead."""
    requested_at = NOON + timedelta(hours=1)
    return InDoubt(batch_id="b-1", refs={}, requested_at=requested_at, lost_at_s=now_s(), vendor_at=SENT_AT)


async def ask(
    answer: Answer | httpx.Response, events: Sequence[RecordEvent], settings: BlueConicSettings = SETTINGS
) -> list[Outcome | None]:
    """Recover ``events``, whose answer is lost now; return what is found in their order."""

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        return answer if isinstance(answer, httpx.Response) else answer(request)

    destination = answering(respond, settings)
    batch = encode_batch(destination, events)
    found = {item.row: outcome async for item, outcome in destination.recover(batch, lost_now())}
    return [found[item.row] for item in batch.items]


def recover(
    answer: Answer | httpx.Response, events: Sequence[RecordEvent], settings: BlueConicSettings = SETTINGS
) -> list[Outcome | None]:
    return run_instantly(ask(answer, events, settings))


async def fails(asking: AsyncIterator[Recovered]) -> bool:
    """Return whether the vendor cannot be asked now."""
    try:
        async for _ in asking:
            pass
    except Unavailable:
        return True
    return False


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
        pytest.param(ABSENT, True, id="it is not there"),
        pytest.param(group(SENT_AT - timedelta(minutes=1)), True, id="unchanged since before"),
        pytest.param(group(SENT_AT + timedelta(minutes=1)), False, id="changed since"),
        pytest.param(httpx.Response(401), False, id="no right to read"),
        pytest.param(httpx.Response(403), False, id="no right to read, by 403"),
        pytest.param(httpx.Response(400, json={"code": 400, "message": "Bad"}), False, id="400"),
        pytest.param(httpx.Response(501), False, id="501"),
    ],
)
def test_an_increment_is_sent_again_only_if_proven_not_applied(answer: httpx.Response, unapplied: bool) -> None:
    (found,) = recover(answer, [record(data=ONE_MORE)])
    assert (found is None) == unapplied
    if found is not None:
        assert (found.fate, found.code) == (Fate.AMBIGUOUS, "no-answer")


STRANGERS = [
    pytest.param(httpx.Response(404, text="404 page not found"), id="404 of an ingress"),
    pytest.param(httpx.Response(404, html="<html><h1>404 Not Found</h1>"), id="404 of a load balancer"),
    pytest.param(httpx.Response(404, json={"message": "no Route matched with those values"}), id="404 of a gateway"),
    pytest.param(httpx.Response(404), id="404 without a body"),
    pytest.param(httpx.Response(302, headers={"location": "/login"}), id="302"),
    pytest.param(httpx.Response(405, html="<html>"), id="405"),
    pytest.param(httpx.Response(403, html="<html>blocked"), id="403 of a firewall"),
    pytest.param(httpx.Response(200, html="<html>We will be back soon"), id="200 with a page"),
]


@pytest.mark.parametrize("answer", STRANGERS)
def test_an_answer_that_may_be_a_proxys_proves_nothing_and_is_asked_for_again(answer: httpx.Response) -> None:
    with pytest.raises(Unavailable):
        recover(answer, [record(data=ONE_MORE)])


@pytest.mark.parametrize("answer", STRANGERS)
@pytest.mark.parametrize("is_heard", [pytest.param(True, id="heard"), pytest.param(False, id="away")])
@instantly
async def test_an_answer_that_may_be_a_proxys_is_ambiguous_in_the_end_if_blueconic_is_heard_otherwise(
    answer: httpx.Response, is_heard: bool
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={}) if request.url.path.endswith("/well") else answer

    destination = answering(respond)
    item, well = (encode_batch(destination, [record(key=key, data=ONE_MORE)]) for key in ("c-1", "well"))
    in_doubt = lost_now()
    await asyncio.sleep(STRANGERS_S + 1)
    assert await fails(destination.recover(item, in_doubt))
    if is_heard:
        assert not await fails(destination.recover(well, in_doubt))
    assert await fails(destination.recover(item, in_doubt)) != is_heard


@pytest.mark.parametrize(
    ("header", "answer", "unapplied"),
    [
        pytest.param("server: BlueConic", httpx.Response(404, headers={"server": "BlueConic"}), True, id="it has it"),
        pytest.param("x-node", httpx.Response(404, text="gone", headers={"X-Node": "7"}), True, id="with any value"),
        pytest.param("server: BlueConic", httpx.Response(404, headers={"server": "nginx"}), False, id="another value"),
        pytest.param("server: BlueConic", ABSENT, False, id="it has it not"),
    ],
)
def test_the_header_of_the_settings_tells_the_vendors_own_answers(
    header: str, answer: httpx.Response, unapplied: bool
) -> None:
    settings = msgspec.structs.replace(SETTINGS, own_answer_header=header)
    if unapplied:
        assert recover(answer, [record(data=ONE_MORE)], settings=settings) == [None]
        return
    with pytest.raises(Unavailable):
        recover(answer, [record(data=ONE_MORE)], settings=settings)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_while_the_vendor_cannot_be_asked_nothing_is_decided(status: int) -> None:
    with pytest.raises(Unavailable):
        recover(httpx.Response(status), [record(key=str(row), data=ONE_MORE) for row in range(3)])


def test_each_item_has_its_own_answer() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return ABSENT if request.url.path.endswith("/c-1") else group(SENT_AT)

    events = [record(key="c-0", data=ONE_MORE), record(key="c-1", data=ONE_MORE), record(key="c-2", data={"name": "x"})]
    found = recover(answer, events)
    assert [outcome and outcome.fate for outcome in found] == ["ambiguous", None, None]


@pytest.mark.parametrize(
    ("key", "data"),
    [
        pytest.param([{"email": "x"}, {"crm": "1"}], ONE_MORE, id="alternatives"),
        pytest.param("k" * 9000, ONE_MORE, id="a key too long to ask for"),
    ],
)
def test_what_has_no_one_place_is_not_asked_for(key: Key, data: Any) -> None:
    def unasked(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    (found,) = recover(unasked, [record("profile", "update", key, data)])
    assert found is not None


def test_a_read_must_not_be_answered_from_a_cache() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["cache-control"])
        return ABSENT

    recover(answer, [record(data=ONE_MORE)])
    assert asked == ["no-cache"]


@instantly
async def test_reads_that_lag_and_the_clock_of_another_writer_do_not_apply_an_increment_twice() -> None:
    """Writer A's clock is an hour ahead. It is killed once BlueConic has applied its write, and B takes the lane over.

    BlueConic's clock is NOON at the start of the test, and it shows the write 30 s after it was made.
    """
    started_s = now_s()

    def vendor_now() -> datetime:
        return NOON + timedelta(seconds=now_s() - started_s)

    applied_at = NOON + timedelta(seconds=5)

    def answer(request: httpx.Request) -> httpx.Response:
        is_shown = vendor_now() > applied_at + timedelta(seconds=30)
        answer = group(applied_at if is_shown else NOON - timedelta(days=1))
        if request.method == "PUT":
            answer = httpx.Response(200, json=[created(0)])
        answer.headers["date"] = format_datetime(vendor_now(), usegmt=True)
        return answer

    a, b = answering(answer), answering(answer)
    await a.write(encode_batch(a, [record()]), send_now)
    assert a.vendor_at == NOON
    await asyncio.sleep(15)
    in_doubt = InDoubt(
        batch_id="b-1",
        refs={},
        requested_at=applied_at + timedelta(hours=1),
        lost_at_s=now_s(),
        vendor_at=a.vendor_at,
    )
    [(_, found)] = [one async for one in b.recover(encode_batch(b, [record(data=ONE_MORE)]), in_doubt)]
    assert found is not None
    assert found.fate is Fate.AMBIGUOUS


@instantly
async def test_vendor_is_given_time_to_finish_and_to_show_it() -> None:
    asked_at_s: list[float] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked_at_s.append(now_s())
        return ABSENT

    lost_at_s = now_s()
    assert await ask(answer, [record(data=ONE_MORE)]) == [None]
    assert asked_at_s == [pytest.approx(lost_at_s + PROOF_AFTER_S)]


@instantly
async def test_what_is_found_is_told_though_a_question_fails_and_only_that_is_asked_again() -> None:
    failing = {"c-3", "c-7"}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if request.url.path.rpartition("/")[2] in failing else ABSENT

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
