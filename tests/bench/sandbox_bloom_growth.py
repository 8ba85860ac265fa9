"""Calls a second that the Bloom Growth sandbox answers.

Eight keep-alive connections do what a client does all day: make a meeting, fill it, change, complete and read back what
is in it, list it.
"""

import asyncio
import json
import time
from typing import Any

import aiohttp
import uvloop

from tests.bench.vendor import Row, at_least, served_on_own_core

MIN_CALLS_PER_S = 1_500
_CONNECTIONS = 8
_ROUNDS = 8
"""Meetings that each connection makes in a run, after one to warm up."""
_RUNS = 5
_ITEMS = 8
"""Issues, todos and goals in each meeting."""


def figures() -> list[Row]:
    """Measure calls by the clock, in the fastest of some runs: other processes can only slow them down."""
    with served_on_own_core("bloom-growth", "--requests-per-second", "0") as served:
        calls_per_s = uvloop.run(_measure(served.url, served.credentials["api_key"]))
    return [("reads and writes", f"{calls_per_s:,.0f} calls/s", at_least(MIN_CALLS_PER_S))]


async def _measure(url: str, api_key: str) -> float:
    headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
    async with aiohttp.ClientSession(f"{url}/api/v1/", headers=headers, connector=connector) as http:
        await asyncio.gather(*(_Client(http).work(rounds=1) for _ in range(_CONNECTIONS)))
        return max([await _run(http) for _ in range(_RUNS)])


async def _run(http: aiohttp.ClientSession) -> float:
    clients = [_Client(http) for _ in range(_CONNECTIONS)]
    started_s = time.perf_counter()
    await asyncio.gather(*(client.work(rounds=_ROUNDS) for client in clients))
    return sum(client.calls for client in clients) / (time.perf_counter() - started_s)


class _Client:
    """A client on one connection, which counts its calls."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.calls = 0
        self._http = http

    async def work(self, rounds: int) -> None:
        me = (await self._call("GET", "users/mine"))["Id"]
        for _ in range(rounds):
            meeting = (await self._call("POST", "L10/create", {"title": "Weekly", "addSelf": True}))["meetingId"]
            await self._hold(meeting, me)

    async def _hold(self, meeting: int, me: int) -> None:
        """Make 24 things in a meeting, change them by 32 calls, and read by 22."""
        call = self._call
        for number in range(_ITEMS):
            title = f"What we talk about, {number}"
            new = {"title": title, "meetingid": meeting, "ownerid": me, "notes": "In some words."}
            issue = (await call("POST", "issues/create", new))["Id"]
            new = {"title": title, "accountableUserId": me, "dueDate": "2026-12-31"}
            todo = (await call("POST", f"L10/{meeting}/todos", new))["Id"]
            goal = (await call("POST", f"L10/{meeting}/rocks", {"title": title}))["Id"]
            await call("PUT", f"issues/{issue}", {"title": f"{title}, again"})
            await call("POST", f"issues/{issue}/complete", {"complete": True})
            await call("POST", f"todo/{todo}/complete?status=true")
            await call("PUT", f"rocks/{goal}", {"completion": "Complete"})
            await call("GET", f"issues/{issue}")
            await call("GET", f"todo/{todo}")
        for name in ("", "/attendees", "/issues?include_resolved=true", "/todos", "/rocks", "/measurables"):
            await call("GET", f"L10/{meeting}{name}")

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        self.calls += 1
        async with self._http.request(method, path, data=data) as answer:
            content = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{method} {path}: expected 200, got {answer.status} {content!r}")
            return json.loads(content) if content else None
