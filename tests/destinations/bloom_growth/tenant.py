"""A Bloom Growth stand-in that runs, with our client for it, driven as the writer drives it, and its own controls."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, NamedTuple

import httpx

from sandbox.bloom_growth.audit import CreatedFilter
from sandbox.bloom_growth.control import BloomGrowthControl
from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.vendor import BloomGrowth as Vendor
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable
from sluice.events import NO_REFS, RecordEvent
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.setting_types import Secret
from tests.destinations.bloom_growth.offline import item_of
from tests.support.factories import NOON, make_batch
from tests.support.fake_calls import FakeCalls

ME, PRIYA, JONAS, STRANGER = 1, 2, 3, 14
"""Users; the last is of another organization."""
MEETING = 12
QUICK = Settings(requests_per_second=None, user_ids=tuple(range(1, 16)), meeting_ids=(MEETING,))


class Tenant(NamedTuple):
    """The client under test, and what others see of the vendor."""

    url: str
    destination: BloomGrowth
    control: BloomGrowthControl

    async def deliver(
        self, event: RecordEvent, *, key: bytes | None = b"12", refs: Mapping[str, str] = NO_REFS
    ) -> Outcome:
        """Write ``event`` until its fate is known, as the writer does."""
        return await deliver(self.destination, item_of(event, refs, key=key))

    async def titles(self, object_: str) -> list[str]:
        """Return the titles of what was created, and is there, in its order."""
        return [one.title for one in await self.control.created(CreatedFilter(object=object_)) if one.exists]

    async def read(self, path: str) -> Any:
        """Read ``path`` as anybody else would."""
        async with httpx.AsyncClient(base_url=f"{self.url}/api/v1", trust_env=False, verify=False) as http:
            answer = await http.get(path, headers={"authorization": "Bearer sandbox-key"})
        return answer.raise_for_status().json()


async def deliver(destination: BloomGrowth, item: Item) -> Outcome:
    """Write ``item`` until its fate is known; a loss is long ago when it is asked about."""
    for _ in range(10):
        refs, vendor_at = dict(destination.newest_ids), destination.vendor_at
        try:
            return await destination.write_item(item, FakeCalls(item))
        except Refused as error:
            return Outcome(Fate.REJECTED, error.code, str(error), http_status=error.http_status)
        except (Unavailable, Misconfigured):
            continue
        except Ambiguous as error:
            if item.encoded.replay_safe:
                continue
            found = await recover(destination, item, refs, vendor_at)
            if found is not None:
                return found
            if isinstance(error.refusal, Refused):
                return Outcome(Fate.REJECTED, error.refusal.code, str(error.refusal))
    raise AssertionError("no fate after ten tries")


async def recover(
    destination: BloomGrowth, item: Item, refs: Mapping[str, str] = NO_REFS, vendor_at: Any = None
) -> Outcome | None:
    """Ask what became of ``item``, whose answer was lost an hour ago."""
    lost_at_s = asyncio.get_running_loop().time() - 3600
    in_doubt = InDoubt(batch_id="b", refs=refs, requested_at=NOON, lost_at_s=lost_at_s, vendor_at=vendor_at)
    [(_, found)] = [one async for one in destination.recover(make_batch([item]), in_doubt)]
    return found


def client(url: str, **changes: Any) -> AbstractAsyncContextManager[BloomGrowth]:
    """Open our client for the tenant at ``url``, with ``changes`` to its settings."""
    named = {"api_key": Secret("sandbox-key"), **changes}
    return aclosing(BloomGrowth(BloomGrowthSettings(url=url, **named)))


@asynccontextmanager
async def tenant(settings: Settings = QUICK, **changes: Any) -> AsyncIterator[Tenant]:
    """Run a stand-in with ``settings``, and open our client for it as :func:`client` does."""
    async with (
        serve(App(Vendor(settings))) as url,
        BloomGrowthControl(url) as control,
        client(url, **changes) as ours,
    ):
        await ours.check()
        yield Tenant(url, ours, control)
