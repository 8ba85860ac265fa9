"""A Salesforce stand-in that runs, with our client of Bulk API 2.0 for it and its own controls."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from sandbox.salesforce.control import SalesforceControl
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sluice.destinations.contract import PreSendCheck
from sluice.destinations.salesforce.bulk2 import Bulk2
from sluice.destinations.salesforce.settings import Bulk2Settings
from sluice.destinations.vendor_jobs import JobState, LostSubmit, Over, Refs, Running
from sluice.events import RecordEvent
from sluice.flow.batch import Batch
from sluice.flow.outcome import Outcome
from tests.destinations.salesforce.served_org import LOGIN
from tests.support.factories import NOON, encode_batch, record, send_now

IDENTIFIER_FIELD = "Title"
"""A field that is not unique: what is inserted twice is there twice."""


class ServedBulk2:
    """The client under test, and what others see of the vendor."""

    def __init__(
        self, settings: Bulk2Settings, vendor: Salesforce, destination: Bulk2, control: SalesforceControl
    ) -> None:
        self.settings = settings
        self.vendor = vendor
        self.destination = destination
        self.control = control
        self.named: list[dict[str, str]] = []

    @asynccontextmanager
    async def twin(self) -> AsyncIterator["ServedBulk2"]:
        """Open another client, as another process has it."""
        async with aclosing(Bulk2(self.settings)) as destination:
            yield ServedBulk2(self.settings, self.vendor, destination, self.control)

    async def note(self, refs: Refs) -> None:
        self.named.append(dict(refs))

    def batch(self, *events: RecordEvent) -> Batch:
        return encode_batch(self.destination, events)

    async def submit(self, *events: RecordEvent, check: PreSendCheck = send_now) -> Refs:
        batch = self.batch(*events)
        return await self.destination.submit(batch, await self.destination.prepare(batch), self.note, check)

    async def find(self, named: Sequence[dict[str, str]] | None = None) -> Refs | None:
        """Look for what was submitted last, as if its refs had not come back; ``named`` is of another process."""
        named = self.named if named is None else named
        lost = LostSubmit(
            batch_key="Contact/insert",
            fingerprint="f",
            refs=named[-1] if named else {},
            requested_at=NOON,
            lost_at_s=0.0,
            vendor_at=self.destination.vendor_at,
        )
        return await self.destination.find(lost, ())

    async def poll(self, refs: Refs) -> JobState:
        [(_, state)] = [found async for found in self.destination.poll([refs])]
        return state

    async def finish(self, refs: Refs) -> Over:
        """Poll until the job is over."""
        while isinstance(state := await self.poll(refs), Running):
            pass
        assert isinstance(state, Over)
        return state

    async def collect(self, refs: Refs, *events: RecordEvent) -> list[Outcome | None]:
        """Return what became of ``events``, joined as the core does."""
        over = await self.finish(refs)
        found = {name: outcome async for name, outcome in self.destination.collect(refs, over, len(events))}
        return [found[item.encoded.identity] for item in self.batch(*events).items]

    async def codes(self, *events: RecordEvent) -> list[str]:
        """Return what became of ``events``, which are submitted as one batch."""
        refs = await self.submit(*events)
        return [outcome.code if outcome else "" for outcome in await self.collect(refs, *events)]

    def count(self, object_: str = "Contact") -> int:
        """Count the vendor's records."""
        return len(self.vendor.org.tables[object_.lower()])

    async def states(self) -> Counter[str]:
        """Count the vendor's jobs by state."""
        return Counter(job.state for job in await self.control.jobs())


@asynccontextmanager
async def served_bulk2(settings: Settings | None = None, **changes: Any) -> AsyncIterator[ServedBulk2]:
    """Run a stand-in with ``settings``, and open our client for it with ``changes`` to its settings."""
    vendor = Salesforce(settings)
    fields = {"Contact": IDENTIFIER_FIELD}
    async with serve(App(vendor)) as url, SalesforceControl(url) as control:
        ours = Bulk2Settings(url=url, **{"login": LOGIN, "read_lag_s": 0.0, "identifier_fields": fields, **changes})
        async with aclosing(Bulk2(ours)) as destination:
            yield ServedBulk2(ours, vendor, destination, control)


def contact(row: int, **data: object) -> RecordEvent:
    """Make an upsert of a contact by its external id."""
    return record("Contact", "upsert", {"Ext__c": f"A-{row}"}, {"LastName": f"Berg {row}", **data})
