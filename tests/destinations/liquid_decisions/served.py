"""The stand-in for Liquid Decisions that runs, with our client for it."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec

from sandbox.liquid_decisions.settings import Settings, User
from sandbox.liquid_decisions.vendor import LiquidDecisions as Vendor
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sluice.destinations.contract import PreSendCheck
from sluice.destinations.liquid_decisions.destination import LiquidDecisions
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings
from sluice.destinations.vendor_jobs import JobState, LostSubmit, Over, Refs, Sent
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Outcome
from sluice.setting_types import Secret
from tests.destinations.liquid_decisions.offline import importing
from tests.support.factories import NOON, encode_batch, send_now
from tests.support.writer_process import eventually


class Served:
    """The client under test, and the vendor's own view."""

    def __init__(self, settings: LiquidDecisionsSettings, vendor: Vendor, destination: LiquidDecisions) -> None:
        self.settings = settings
        self.vendor = vendor
        self.destination = destination
        self.named: dict[str, str] = {}

    @asynccontextmanager
    async def twin(self) -> AsyncIterator["Served"]:
        """Open another client, as another process has it."""
        async with aclosing(LiquidDecisions(self.settings)) as destination:
            yield Served(self.settings, self.vendor, destination)

    def stored(self, key: str) -> dict[str, Any] | None:
        """Return the data of an account."""
        row = self.vendor.communities["ACME"].database.tables["Account"].find(key)
        return None if row is None else row.fields

    def batch(self, events: Sequence[RecordEvent]) -> Batch:
        return encode_batch(self.destination, events)

    async def write(self, *events: RecordEvent) -> Sequence[Outcome]:
        return await self.destination.write(self.batch(events), send_now)

    async def submit(self, *events: RecordEvent, check: PreSendCheck = send_now) -> dict[str, str]:
        """Submit an import; its names are in ``named``, too."""
        batch = msgspec.structs.replace(self.batch(events), batch_key="import/Account")
        upload = await self.destination.prepare(batch)
        self.named = {}
        refs = await self.destination.submit(batch, upload, self._note, check)
        return {**self.named, **refs}

    async def _note(self, refs: Refs) -> None:
        self.named.update(refs)

    def sent(self, events: Sequence[RecordEvent]) -> Sent:
        async def read() -> AsyncGenerator[Item, None]:
            for item in self.batch(events).items:
                yield item

        return read

    async def find(self, *events: RecordEvent) -> Refs | None:
        """Look for what was submitted last, as if its answer had been lost."""
        lost = LostSubmit(
            batch_key="import/Account",
            fingerprint="f",
            refs=self.named,
            requested_at=NOON,
            lost_at_s=0.0,
            vendor_at=None,  # of a process that had not heard the vendor yet
        )
        return await self.destination.find(lost, [], self.sent(events))

    async def state(self, refs: Refs) -> JobState:
        [(_, state)] = [one async for one in self.destination.poll([refs])]
        return state

    async def over(self, refs: Refs) -> Over:
        async def look() -> Over | None:
            state = await self.state(refs)
            return state if isinstance(state, Over) else None

        found = await eventually(look, within_s=30)
        assert found is not None
        return found

    async def collect(self, refs: Refs, over: Over, *events: RecordEvent) -> list[Outcome | None]:
        """Return the outcomes by row."""
        found = self.destination.collect(refs, over, len(events), self.sent(events))
        return [outcome for _, outcome in sorted([one async for one in found], key=lambda one: str(one[0]))]


@asynccontextmanager
async def serving(
    vendor_settings: Settings | None = None, *, read_lag_s: float = 0.0, **settings: Any
) -> AsyncIterator[Served]:
    """Serve a community whose accounts are imported."""
    vendor = Vendor(vendor_settings or Settings())
    async with serve(App(vendor)) as url:
        own = importing(
            **{
                "url": url,
                "username": User().user_id,
                "password": Secret(User().password),
                "settle_s": 0.0,
                "read_lag_s": read_lag_s,
                "timeout_s": 5.0,
                "import_timeout_s": 5.0,
                **settings,
            }
        )
        async with aclosing(LiquidDecisions(own)) as destination:
            yield Served(own, vendor, destination)
