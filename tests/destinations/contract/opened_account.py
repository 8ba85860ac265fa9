"""A kind's account in this process, and a stand-in that is its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, NamedTuple

from sandbox.serving.server import serve
from sluice.destinations.contract import Destination, Refused
from sluice.destinations.item_calls import ItemDestination
from sluice.events import RecordEvent, decode_record
from sluice.flow.batch import Batch
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.contract.sandboxed_kind import SandboxedKind
from tests.destinations.contract.watched_app import WatchedApp
from tests.support.factories import send_now
from tests.support.fake_calls import FakeCalls
from tests.support.stage import Message


class OpenedAccount(NamedTuple):
    """An account that can be asked, without a writer around it."""

    kind: SandboxedKind
    app: WatchedApp
    url: str
    account: Any

    def times_applied(self, keys: list[str]) -> list[int]:
        """Return how often the insert of each key was applied."""
        return [self.kind.times_applied(self.app.vendor, key) for key in keys]


@asynccontextmanager
async def opened_account(kind: SandboxedKind) -> AsyncIterator[OpenedAccount]:
    """Serve the stand-in, and open an account there."""
    app = WatchedApp(kind.stand_in())
    async with serve(app) as url, aclosing(kind.open_account(url)) as account:
        yield OpenedAccount(kind, app, url, account)


async def write_all(account: Destination | ItemDestination, batch: Batch) -> Sequence[Outcome]:
    """Write ``batch`` as a writer does, and return an outcome for each item; an item that was refused is rejected."""
    if isinstance(account, Destination):
        return await account.write(batch, send_now)
    outcomes: list[Outcome] = []
    for item in batch.items:
        try:
            outcomes.append(await account.write_item(item, FakeCalls(item)))
        except Refused as error:
            outcomes.append(Outcome(Fate.REJECTED, error.code, str(error)))
    return outcomes


def event_of(message: Message) -> RecordEvent:
    """Return the record event that ``message`` carries."""
    assert message.value
    return decode_record(message.value)
