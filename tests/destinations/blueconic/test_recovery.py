"""Recovery of a write whose answer was lost: what counts as a proof."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sluice.destinations.blueconic.recovery import CLOCK_MARGIN_S, READ_LAG_S
from sluice.destinations.contract import Unavailable
from sluice.events import Key, Operation, RecordEvent
from sluice.flow.batch import InDoubt
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.blueconic.offline import SETTINGS, Answer, answering
from tests.support.factories import encode_batch, record

SENT_AT = datetime.now(UTC) - timedelta(hours=1)
ONE_MORE = {"visits": {"increment": 1}}


async def recover(
    answer: Answer | httpx.Response, events: Sequence[RecordEvent], requested_at: datetime = SENT_AT
) -> Sequence[Outcome | None]:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        return answer if isinstance(answer, httpx.Response) else answer(request)

    destination = answering(respond)
    in_doubt = InDoubt(batch_id="b-1", refs={}, requested_at=requested_at)
    return await destination.recover(encode_batch(destination, events), in_doubt)


def group(modified_at: datetime | str | None, **headers: str) -> httpx.Response:
    text = modified_at.isoformat() if isinstance(modified_at, datetime) else modified_at
    return httpx.Response(200, json={"id": "c-1", "groupTypeId": "company", "lastModifiedDate": text}, headers=headers)


def http_date(instant: datetime) -> str:
    return instant.strftime("%a, %d %b %Y %H:%M:%S GMT")


async def test_what_is_safe_to_repeat_is_sent_again_without_asking() -> None:
    def unasked(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    assert list(await recover(unasked, [record(data={"name": "x"})], datetime.now(UTC))) == [None]


@pytest.mark.parametrize(
    ("answer", "unapplied"),
    [
        pytest.param(httpx.Response(404), True, id="it is not there"),
        pytest.param(group(SENT_AT - timedelta(seconds=CLOCK_MARGIN_S + 1)), True, id="unchanged since before"),
        pytest.param(group(SENT_AT - timedelta(seconds=CLOCK_MARGIN_S - 1)), False, id="changed just before"),
        pytest.param(group(SENT_AT), False, id="changed then"),
        pytest.param(group(SENT_AT + timedelta(minutes=1)), False, id="changed since"),
        pytest.param(group(None), False, id="no date"),
        pytest.param(group("2020-01-01T00:00:00"), False, id="a date without a zone"),
        pytest.param(group("long ago"), False, id="no date at all"),
        pytest.param(
            group(SENT_AT + timedelta(hours=3), date=http_date(datetime.now(UTC) + timedelta(hours=4))),
            True,
            id="unchanged since before by a clock four hours ahead",
        ),
        pytest.param(
            group(SENT_AT - timedelta(hours=3), date=http_date(datetime.now(UTC) - timedelta(hours=4))),
            False,
            id="changed since by a clock four hours behind",
        ),
        pytest.param(httpx.Response(200, content=b"<html>"), False, id="html"),
        pytest.param(httpx.Response(401), False, id="no right to read"),
        pytest.param(httpx.Response(403), False, id="no right to read, by 403"),
        pytest.param(httpx.Response(400), False, id="400"),
        pytest.param(httpx.Response(501), False, id="501"),
    ],
)
async def test_an_increment_is_sent_again_only_if_proven_not_applied(answer: httpx.Response, unapplied: bool) -> None:
    (found,) = await recover(answer, [record(data=ONE_MORE)])
    assert (found is None) == unapplied
    if found is not None:
        assert (found.fate, found.code) == (Fate.AMBIGUOUS, "no-answer")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_while_the_vendor_cannot_be_asked_nothing_is_decided(status: int) -> None:
    with pytest.raises(Unavailable):
        await recover(httpx.Response(status), [record(key=str(row), data=ONE_MORE) for row in range(3)])


async def test_each_item_has_its_own_answer() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if request.url.path.endswith("/c-1") else group(SENT_AT)

    events = [record(key="c-0", data=ONE_MORE), record(key="c-1", data=ONE_MORE), record(key="c-2", data={"name": "x"})]
    found = await recover(answer, events)
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
async def test_records_are_looked_up_by_their_key(object_: str, key: Key, asked: str) -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        return httpx.Response(404)

    await recover(answer, [record(object_, key=key, data=ONE_MORE)])
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
async def test_a_profile_is_proven_untouched_only_by_its_absence(
    operation: Operation, key: Key, data: Any, answer: dict[str, Any], unapplied: bool
) -> None:
    (found,) = await recover(httpx.Response(200, json=answer), [record("profile", operation, key, data)])
    assert (found is None) == unapplied


async def test_the_vendor_is_given_time_to_finish() -> None:
    over_in_s = 0.2
    requested_at = datetime.now(UTC) - timedelta(seconds=SETTINGS.timeout_s + READ_LAG_S - over_in_s)
    started_s = time.monotonic()
    await recover(httpx.Response(404), [record(data=ONE_MORE)], requested_at)
    assert time.monotonic() - started_s >= over_in_s * 0.9
