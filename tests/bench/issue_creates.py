"""Calls per CPU-second of Bloom Growth's kind, of a bare aiohttp loop, and of bloomy-python, which create issues.

They take turns at one sandbox in a process of its own, with 50 calls in flight: a machine's speed varies.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from typing import Any, NamedTuple

import aiohttp
import msgspec

from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.contract import PreSendCheck
from sluice.events import RecordEvent
from sluice.flow.outcome import Fate
from sluice.setting_types import Secret
from tests.bench.report import Figure, ratio_at_least
from tests.bench.vendor import Served, served
from tests.support.factories import NOON, make_item, send_now

IN_FLIGHT = 50

Create = Callable[[Sequence[str]], Awaitable[int]]
"""Maker of issues with these titles, ``IN_FLIGHT`` at a time, which returns how many have an id."""


class Round(NamedTuple):
    """Calls per CPU-second, one after the other; ``bloomy`` is ``None`` where it cannot be imported."""

    ours: float
    aiohttp: float
    bloomy: float | None


async def measure_issue_creates(rounds: int, calls: int) -> list[Round]:
    """Measure ``rounds`` of so many calls each, after one to warm up."""
    with served("bloom-growth", "--ledger", "counts", "--requests-per-second", "0") as vendor:
        async with AsyncExitStack() as stack:
            bodies = await stack.enter_async_context(_session(vendor))
            issue = await _place(bodies)
            ours, bare = await stack.enter_async_context(_ours(vendor, issue)), _bare(bodies, issue)
            client = _bloomy(vendor)
            bloomy = _through(await stack.enter_async_context(client), issue) if client else None
            found = [
                Round(
                    await _rate(ours, calls),
                    await _rate(bare, calls),
                    await _rate(bloomy, calls) if bloomy else None,
                )
                for _ in range(rounds + 1)
            ]
    return found[1:]


def create_figures(case: str, found: Sequence[Round]) -> list[Figure]:
    """Return the figures of all rounds; nothing of what was not measured."""
    figures = [
        Figure(case=case, what="creates by the kind", value=median(one.ours for one in found), unit="/CPU-s"),
        ratio_at_least(case, "kind / bare aiohttp", [one.ours / one.aiohttp for one in found], 0.6),
    ]
    if by_bloomy := [one.ours / one.bloomy for one in found if one.bloomy is not None]:
        figures.append(ratio_at_least(case, "kind / bloomy-python", by_bloomy, 5))
    return figures


async def _rate(create: Create, calls: int) -> float:
    titles = [f"What we talk about, {number}" for number in range(calls)]
    started_s = time.process_time()
    made = await create(titles)
    used_s = time.process_time() - started_s
    if made != calls:
        raise RuntimeError(f"expected {calls} issues with an id, got {made}")
    return calls / used_s


async def _spread(titles: Sequence[str], create: Callable[[str], Awaitable[bool]]) -> int:
    """Call ``create`` for each of ``titles`` in ``IN_FLIGHT`` workers; return how often it returns true."""
    left = iter(titles)

    async def work() -> int:
        return sum([await create(title) for title in left])

    return sum(await asyncio.gather(*(work() for _ in range(IN_FLIGHT))))


@asynccontextmanager
async def _ours(vendor: Served, issue: Mapping[str, Any]) -> AsyncIterator[Create]:
    """Yield the kind's encoding and writing of items, one by one, as the writer has it."""
    # Beyond what a settings file may say: it is not read from one.
    settings = BloomGrowthSettings(
        url=vendor.url, api_key=Secret(vendor.credentials["api_key"]), max_concurrent=IN_FLIGHT
    )
    destination = BloomGrowth(settings, on_request=lambda status, seconds: None)
    calls = _Calls()
    fields = {"meeting_id": issue["meetingid"], "user_id": issue["ownerid"], "notes": issue["notes"]}

    async def create(title: str) -> bool:
        event = RecordEvent(
            event_id=title,
            object="issue",
            operation="insert",
            data=msgspec.Raw(_encode({"title": title, **fields})),
            occurred_at=NOON,
        )
        item = make_item(event=event, encoded=destination.encode(event, title))
        outcome = await destination.write_item(item, calls)
        return outcome.fate is Fate.DELIVERED and outcome.record_id is not None

    try:
        yield lambda titles: _spread(titles, create)
    finally:
        await destination.aclose()


class _Calls:
    """Calls that are let leave at once, and a permit of theirs."""

    def permit(self) -> "_Calls":
        return self

    async def __aenter__(self) -> PreSendCheck:
        return send_now

    async def __aexit__(self, *_: object) -> None:
        return None

    async def note(self, refs: Mapping[str, str]) -> None:
        raise AssertionError(f"expected no trouble with a create, got {refs}")


@asynccontextmanager
async def _session(vendor: Served) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"content-type": "application/json", "authorization": f"Bearer {vendor.credentials['api_key']}"}
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(f"{vendor.url}/api/v1/", headers=headers, connector=connector) as session:
        yield session


async def _place(session: aiohttp.ClientSession) -> dict[str, Any]:
    """Make a meeting, and return the fields of an issue in it but for the title."""
    async with session.get("users/mine") as answer:
        me = (await answer.json())["Id"]
    async with session.post("L10/create", json={"title": "Weekly", "addSelf": True}) as answer:
        meeting = (await answer.json())["meetingId"]
    return {"meetingid": meeting, "ownerid": me, "notes": "In some words."}


def _bare(session: aiohttp.ClientSession, issue: Mapping[str, Any]) -> Create:
    async def create(title: str) -> bool:
        async with session.post("issues/create", data=_encode({"title": title, **issue})) as answer:
            return bool(_decode(await answer.read())["Id"])

    return lambda titles: _spread(titles, create)


def _bloomy(vendor: Served) -> Any:
    """Return bloomy-python's own client, ``None`` where it is not installed: it needs Python 3.12."""
    try:
        from bloomy import AsyncClient
    except ImportError:
        return None
    return AsyncClient(vendor.credentials["api_key"], f"{vendor.url}/api/v1")


def _through(client: Any, issue: Mapping[str, Any]) -> Create:
    fields = {"meeting_id": issue["meetingid"], "user_id": issue["ownerid"], "notes": issue["notes"]}

    async def create(titles: Sequence[str]) -> int:
        issues = [{"title": title, **fields} for title in titles]
        return len((await client.issue.create_many(issues, max_concurrent=IN_FLIGHT)).successful)

    return create


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
