"""The calls of one item, as the writer has them: permits that are counted, and notes that the item keeps."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sluice.destinations.contract import PreSendCheck
from sluice.flow.batch import Item
from tests.support.factories import send_now


class FakeCalls:
    """Gives every permit at once."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.made = 0
        self.errors: list[BaseException] = []
        """Raised in the body of a permit, where the writer learns of an outage."""
        self.notes: list[dict[str, str]] = []

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[PreSendCheck]:
        self.made += 1
        try:
            yield send_now
        except BaseException as error:
            self.errors.append(error)
            raise

    async def note(self, refs: Mapping[str, str]) -> None:
        self.notes.append(dict(refs))
        self.item.refs = {**self.item.refs, **refs}
