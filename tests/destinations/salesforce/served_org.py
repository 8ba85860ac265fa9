"""A Salesforce stand-in that runs, with our client of Bulk API 1.0 for it and its own controls."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from sandbox.control import SandboxControl
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sluice.destinations.salesforce.bulk1 import Bulk1
from sluice.destinations.salesforce.login_settings import SoapLogin
from sluice.destinations.salesforce.request_bodies import encode_body
from sluice.destinations.salesforce.settings import Bulk1Settings
from sluice.destinations.salesforce.uploads import digest
from sluice.destinations.vendor_jobs import JobState, LostSubmit, Over, Refs, Running, Upload
from sluice.events import RecordEvent
from sluice.flow.outcome import Outcome
from sluice.setting_types import Secret
from tests.support.factories import NOON, encode_batch, record, send_now

LOGIN = SoapLogin(username="loader@example.com", password=Secret("loader-password"), security_token=Secret("TOKEN"))


class ServedOrg:
    """The client under test, and what others see of the vendor."""

    def __init__(
        self, settings: Bulk1Settings, vendor: Salesforce, destination: Bulk1, control: SandboxControl
    ) -> None:
        self.settings = settings
        self.vendor = vendor
        self.destination = destination
        self.control = control
        self.named: list[dict[str, str]] = []

    @asynccontextmanager
    async def twin(self) -> AsyncIterator["ServedOrg"]:
        """Open another client, as another process has it."""
        async with aclosing(Bulk1(self.settings)) as destination:
            yield ServedOrg(self.settings, self.vendor, destination, self.control)

    async def note(self, refs: Refs) -> None:
        self.named.append(dict(refs))

    def upload(self, *events: RecordEvent) -> Upload:
        """Make a body without asking for descriptions."""
        rows = [item.encoded for item in encode_batch(self.destination, events).items]
        body = encode_body(self.settings.content_type, rows, {})
        return Upload(body, digest(body))

    async def submit(self, *events: RecordEvent) -> Refs:
        batch = encode_batch(self.destination, events)
        return await self.destination.submit(batch, self.upload(*events), self.note, send_now)

    async def find(
        self, *events: RecordEvent, others: Collection[Refs] = (), named: Sequence[dict[str, str]] | None = None
    ) -> Refs | None:
        """Look for what was submitted last, as if its refs had not come back; ``named`` is of another process."""
        named = self.named if named is None else named
        lost = LostSubmit(
            batch_key=encode_batch(self.destination, events).batch_key,
            fingerprint=self.upload(*events).fingerprint,
            refs=named[-1] if named else {},
            requested_at=NOON,
            lost_at_s=0.0,
            vendor_at=self.destination.vendor_at,
        )
        return await self.destination.find(lost, others)

    async def poll(self, refs: Refs) -> JobState:
        [(_, state)] = [found async for found in self.destination.poll([refs])]
        return state

    async def finish(self, refs: Refs) -> Over:
        """Poll until the batch is over."""
        while isinstance(state := await self.poll(refs), Running):
            pass
        assert isinstance(state, Over)
        return state

    async def collect(self, refs: Refs, items: int) -> list[Outcome | None]:
        over = await self.finish(refs)
        found = [pair async for pair in self.destination.collect(refs, over, items)]
        assert [row for row, _ in found] == list(range(items))
        return [outcome for _, outcome in found]

    async def codes(self, *events: RecordEvent) -> list[str]:
        """Return what became of ``events``, which are submitted as one batch."""
        refs = await self.submit(*events)
        return [outcome.code if outcome else "" for outcome in await self.collect(refs, len(events))]

    def count(self, object_: str = "Contact") -> int:
        """Count the vendor's records."""
        return len(self.vendor.org.tables[object_.lower()])


@asynccontextmanager
async def served_org(settings: Settings | None = None, **changes: Any) -> AsyncIterator[ServedOrg]:
    """Run a stand-in with ``settings``, and open our client for it with ``changes`` to its settings."""
    vendor = Salesforce(settings)
    async with serve(App(vendor)) as url, SandboxControl(url) as control:
        ours = Bulk1Settings(url=url, **{"login": LOGIN, "read_lag_s": 0.0, **changes})
        async with aclosing(Bulk1(ours)) as destination:
            yield ServedOrg(ours, vendor, destination, control)


def contact(row: int, **data: object) -> RecordEvent:
    """Make an upsert of a contact by its external id."""
    return record("Contact", "upsert", {"Ext__c": f"A-{row}"}, {"LastName": f"Berg {row}", **data})
