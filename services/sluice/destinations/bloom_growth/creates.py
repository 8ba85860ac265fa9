"""Creates: one call that must not be repeated. After it the record's id is known and nobody else's."""

from sluice.destinations.bloom_growth.answers import Record
from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.seen_ids import SeenIds
from sluice.destinations.bloom_growth.titles import fold
from sluice.destinations.bloom_growth.work import Create
from sluice.destinations.contract import Ambiguous
from sluice.destinations.item_calls import Calls
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome

UNREADABLE = "unreadable"
"""Ref of an item whose create was answered by a page, or without an id. The second time is the last one."""


class Creator:
    """Maker of records."""

    def __init__(self, api: Api, seen: SeenIds) -> None:
        self._api = api
        self._seen = seen

    async def make(self, create: Create, item: Item, calls: Calls) -> Outcome:
        """Make the record. Raises ``BatchError``."""
        try:
            record = await self._api.create(create.path, bytes(create.body), calls.permit)
        except Ambiguous as error:
            if error.refusal is None or UNREADABLE in item.refs:
                raise
            # Perhaps the vendor was away for a moment: once it is proven not to be applied, it has one more chance.
            await calls.note({UNREADABLE: "once"})
            raise Ambiguous(str(error), reason=error.reason) from error
        id_ = record.new_id or 0
        self._seen.credit(create.object, id_, item)
        return Outcome(Fate.DELIVERED, "CREATED", record_id=str(id_), warning=_warning(create, record))


def _warning(create: Create, record: Record) -> str | None:
    """Return what the server has made otherwise than asked: its own word counts. §5"""
    warnings = []
    owner_id = None if record.owner is None else record.owner.id
    if create.owner_id is not None and owner_id is not None and owner_id != create.owner_id:
        warnings.append(f"user_id: asked for {create.owner_id}, the server has made {owner_id} the owner")
    if record.name is not None and record.name != create.title and fold(record.name) != fold(create.title):
        warnings.append(f"title: stored as {record.name[:100]!r}")
    return "; ".join(warnings) or None
