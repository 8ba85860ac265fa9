"""Scores: in the week that is named, else in the vendor's current one, also when it is repeated later."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Refused
from tests.destinations.bloom_growth.offline import EMPTY, answering, body, item_of, paths, scripted, write
from tests.support.factories import record
from tests.support.fake_calls import FakeCalls

SCORE = record("measurable", "update", "7", b'{"value":1.50}')


def current(week: object) -> httpx.Response:
    return httpx.Response(200, json={"Id": 1, "ForWeekNumber": week})


async def test_a_named_week_is_taken() -> None:
    requests: list[httpx.Request] = []
    event = record("measurable", "upsert", "7", {"value": 3, "week": 2917})
    outcome = await write(answering(scripted({"PUT measurables/7/week/2917": EMPTY}), requests=requests), event)
    assert (outcome.code, outcome.record_id, body(requests[0])) == ("UPDATED", "7", {"value": 3})


async def test_without_one_the_vendor_names_it_once() -> None:
    requests: list[httpx.Request] = []
    week = "PUT measurables/7/week/2917"
    destination = answering(
        scripted({"GET weeks/current": current(2917), week: [httpx.ReadError(""), EMPTY]}), requests=requests
    )
    item = item_of(SCORE)
    with pytest.raises(Ambiguous):
        await destination.write_item(item, FakeCalls(item))
    await destination.write_item(item, FakeCalls(item))
    assert paths(requests) == ["GET weeks/current", week, week]
    assert requests[1].content == b'{"value":1.50}'


async def test_a_week_that_the_vendor_does_not_name_is_not_computed() -> None:
    with pytest.raises(Refused, match="name `week`"):
        await write(answering(scripted({"GET weeks/current": current(None)})), SCORE)
