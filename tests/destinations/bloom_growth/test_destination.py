"""An account without a network: its limits, its check, and what it knows of ids."""

import httpx
import msgspec
import pytest

from sluice.destinations import load_kind
from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.contract import BatchError, Unavailable
from sluice.destinations.item_calls import ItemDestination
from tests.destinations.bloom_growth.offline import (
    ME,
    PAGE,
    SETTINGS,
    Answer,
    answering,
    issue,
    made,
    paths,
    scripted,
    write,
)

UNKNOWN = httpx.Response(404, json={"Message": "There is no object 0."})
NONE = httpx.Response(200, json=[])
LISTS = {
    "GET L10/list": httpx.Response(200, json=[{"Id": 30, "Name": "a"}, {"Id": 12, "Name": "b"}]),
    "GET issues/users/mine": httpx.Response(200, json=[{"Id": 900}]),
    "GET todo/users/mine": httpx.Response(403, json={}),
    "GET rocks/user/1": NONE,
    "GET headline/users/1": PAGE,
}


def test_it_is_a_kind_whose_vendor_takes_one_record_a_call() -> None:
    kind = load_kind("bloom_growth")
    assert kind.connect is BloomGrowth
    assert isinstance(BloomGrowth(SETTINGS), ItemDestination)


@pytest.mark.parametrize("max_concurrent", [5, 20])
def test_calls_at_once_are_what_the_settings_say(max_concurrent: int) -> None:
    settings = msgspec.structs.replace(SETTINGS, max_concurrent=max_concurrent)
    limits = BloomGrowth(settings).limits
    assert (limits.max_items, limits.max_concurrent) == (100, max_concurrent)
    assert BloomGrowth(SETTINGS).limits.max_concurrent == 5


def test_it_learns_the_ids_of_a_lanes_last_owner_as_far_as_they_are_some() -> None:
    account = BloomGrowth(SETTINGS)
    account.learn({"issue": "900", "goal": "7/../8", "todo": "9" * 400, "": "1"})
    account.learn({"issue": "12"})
    assert account.newest_ids == {"issue": "900", "": "1"}


async def test_a_check_tells_who_answers_and_learns_ids() -> None:
    requests: list[httpx.Request] = []
    destination = answering(scripted({"PUT issues/0": UNKNOWN, **LISTS}), requests=requests)
    assert await destination.check() == "Bloom Growth at bloom.test answers Alex (1), who owns what names no `user_id`"
    assert destination.newest_ids == {"meeting": "30", "issue": "900"}
    await destination.check()
    assert paths(requests).count("GET L10/list") == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(PAGE, id="a page"),
        pytest.param(httpx.Response(403, html="<html>blocked"), id="a firewall"),
        pytest.param(httpx.Response(302, headers={"location": "/login"}), id="302"),
        pytest.param(httpx.Response(503), id="503"),
        pytest.param(httpx.ReadError(""), id="reset"),
    ],
)
async def test_writes_that_do_not_get_through_are_seen(answer: Answer) -> None:
    with pytest.raises(Unavailable):
        await answering(scripted({"PUT issues/0": answer})).check()


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
async def test_any_own_answer_to_a_write_of_nothing_will_do(status: int) -> None:
    script = {"PUT issues/0": httpx.Response(status, json={"Message": "no"}), **LISTS}
    assert "Alex" in await answering(scripted(script)).check()


@pytest.mark.parametrize("answer", [PAGE, httpx.Response(401), httpx.Response(403), httpx.Response(302)])
async def test_a_check_fails_when_nobody_is_named(answer: httpx.Response) -> None:
    with pytest.raises(BatchError):
        await answering(scripted({"GET users/mine": answer})).check()


async def test_each_answer_moves_the_newest_id_and_the_vendors_clock() -> None:
    answer = httpx.Response(200, json={"Id": 77}, headers={"date": "Fri, 02 Jan 2026 12:00:00 GMT"})
    destination = answering(scripted({"POST issues/create": [answer, made(5)]}))
    assert (destination.newest_ids, destination.vendor_at) == ({}, None)
    await write(destination, issue())
    await write(destination, issue())
    assert destination.newest_ids == {"issue": "77"}
    assert destination.vendor_at is not None
    assert ME["Id"] == 1
