"""Bloom Growth without a network: an account that answers as a test tells it, and items for it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

import httpx
import pytest

from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.bloom_growth.records import encode_record
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.contract import Rejection
from sluice.events import NO_REFS, Key, Operation, RecordEvent
from sluice.flow.batch import Item
from sluice.flow.outcome import Outcome
from sluice.setting_types import Secret
from tests.support.factories import make_item, record
from tests.support.fake_calls import FakeCalls

SETTINGS = BloomGrowthSettings(url="http://bloom.test", api_key=Secret("key"))
ME = {"Id": 1, "Name": "Alex"}
PAGE = httpx.Response(200, html="<html><div id=app></div></html>")

Answer = httpx.Response | Exception | Awaitable[httpx.Response]
Respond = Callable[[httpx.Request], Answer]


def issue(operation: Operation = "insert", key: Key = None, **data: Any) -> RecordEvent:
    """Make an event of an issue; an insert has a title and a meeting unless ``data`` says otherwise."""
    base = {"title": "Late trucks", "meeting_id": 12} if operation == "insert" else {}
    return record("issue", operation, key, {**base, **data})


def rejection(event: RecordEvent) -> Rejection:
    with pytest.raises(Rejection) as error:
        encode_record(event)
    return error.value


def answering(
    respond: Respond, *, settings: BloomGrowthSettings = SETTINGS, requests: list[httpx.Request] | None = None
) -> BloomGrowth:
    """Make an account whose every call, the probe aside, is answered as ``respond`` says, with a note in ``requests``.

    The probe is answered well unless ``respond`` has an answer for it.
    """

    async def handle(request: httpx.Request) -> httpx.Response:
        if requests is not None:
            requests.append(request)
        answer = respond(request)
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    return BloomGrowth(settings, transport=httpx.MockTransport(handle))


def scripted(answers: Mapping[str, Answer | list[Answer]]) -> Respond:
    """Answer each call by its ``METHOD path?query``, a list one by one; the probe is answered well by itself."""
    rest = {call: list(one) if isinstance(one, list) else one for call, one in answers.items()}

    def respond(request: httpx.Request) -> Answer:
        call = f"{request.method} {request.url.raw_path.decode().removeprefix('/api/v1/')}"
        if call == "GET users/mine" and call not in rest:
            return httpx.Response(200, json=ME)
        answer = rest[call]
        return answer.pop(0) if isinstance(answer, list) else answer

    return respond


def made(id_: int = 9001, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"Id": id_, **more})


EMPTY = httpx.Response(200)
_OFFSETS = count()


def item_of(event: RecordEvent, refs: Mapping[str, str] = NO_REFS, *, key: bytes | None = None, row: int = 0) -> Item:
    """Make an item that stands where no other one does."""
    item = make_item(next(_OFFSETS), event=event, encoded=encode_record(event))
    item.refs, item.key, item.row = refs, key, row
    return item


async def write(destination: BloomGrowth, event: RecordEvent, refs: Mapping[str, str] = NO_REFS) -> Outcome:
    item = item_of(event, refs)
    return await destination.write_item(item, FakeCalls(item))


def paths(requests: list[httpx.Request]) -> list[str]:
    return [f"{one.method} {one.url.raw_path.decode().removeprefix('/api/v1/')}" for one in requests]


def body(request: httpx.Request) -> Any:
    return json.loads(request.content)
