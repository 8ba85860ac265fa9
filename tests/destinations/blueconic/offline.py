"""BlueConic without a network: the entries of record events, and a tenant that answers as a test tells it."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest

from sluice.destinations.blueconic.destination import BlueConic
from sluice.destinations.blueconic.entries import Entries
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Rejection
from sluice.events import RecordEvent
from sluice.flow.outcome import Outcome
from sluice.setting_types import Secret
from tests.support.factories import encode_batch, record, send_now

SETTINGS = BlueConicSettings(url="http://acme.test", client_id="app", client_secret=Secret("s"))
ENTRIES = Entries(SETTINGS)
TOKEN = httpx.Response(200, json={"access_token": "T", "token_type": "Bearer", "expires_in": 3600})
ABSENT = httpx.Response(404, json={"code": 404, "message": "Not Found"})
"""BlueConic's own word that a record is not there."""
Answer = Callable[[httpx.Request], httpx.Response]


def with_settings(**named: Any) -> Entries:
    return Entries(msgspec.structs.replace(SETTINGS, **named))


def entry(event: RecordEvent, entries: Entries = ENTRIES) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(entries.encode(event, "0-7").body)
    assert body.pop("identifier") == "0-7"
    return body


def rejection(event: RecordEvent) -> Rejection:
    with pytest.raises(Rejection) as error:
        ENTRIES.encode(event, "0-7")
    assert "expected" in error.value.message
    return error.value


def answering(
    answer: Answer | httpx.Response | Callable[[httpx.Request], Awaitable[httpx.Response]],
    settings_: BlueConicSettings = SETTINGS,
    *,
    requests: list[httpx.Request] | None = None,
) -> BlueConic:
    """Make a tenant that gives out tokens, and otherwise answers as ``answer`` says, with a note in ``requests``."""

    async def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/rest/v2/oauth/token":
            return TOKEN
        if requests is not None:
            requests.append(request)
        answered = answer if isinstance(answer, httpx.Response) else answer(request)
        return await answered if isinstance(answered, Awaitable) else answered

    return BlueConic(settings_, transport=httpx.MockTransport(respond))


async def write(answer: Answer | httpx.Response, events: Sequence[RecordEvent]) -> Sequence[Outcome]:
    destination = answering(answer)
    return await destination.write(encode_batch(destination, events), send_now)


def results(*made: dict[str, Any], status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=msgspec.json.encode(made))


def companies(count: int) -> list[RecordEvent]:
    return [record(key=f"c-{row}") for row in range(count)]


def created(row: int, **changes: Any) -> dict[str, Any]:
    made = {"groupId": f"c-{row}", "groupTypeId": "company", "state": "CREATED", "identifier": f"0-{row}", **changes}
    return {name: value for name, value in made.items() if value is not None}
