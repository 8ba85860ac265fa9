"""Upserts without a key: the record of that meeting, title and owner is changed, else made. §14

It is looked for among what people see in the meeting: what is solved, closed or archived is not revived. In this
process no other create of the same meeting and title is under way meanwhile.
"""

from sluice.destinations.bloom_growth.answers import Record
from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.changes import Changer
from sluice.destinations.bloom_growth.creates import Creator
from sluice.destinations.bloom_growth.listings import open_list
from sluice.destinations.bloom_growth.refs import id_in
from sluice.destinations.bloom_growth.seen_ids import SeenIds
from sluice.destinations.bloom_growth.titles import fold
from sluice.destinations.bloom_growth.work import Update, Upsert
from sluice.destinations.item_calls import Calls
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome

FOUND = "found"
"""Ref of an item whose record was there: from then on it is a change, which is safe to repeat."""


class Upserter:
    """Finder, then changer or maker of records."""

    def __init__(self, api: Api, seen: SeenIds, creator: Creator, changer: Changer) -> None:
        self._api = api
        self._seen = seen
        self._creator = creator
        self._changer = changer

    async def upsert(self, work: Upsert, item: Item, calls: Calls) -> Outcome:
        """Write the record. Raises ``BatchError``."""
        create = work.create
        known = id_in(item.refs, FOUND)
        found = await self._find(work, calls) if known is None else [known]
        if not found:
            return await self._creator.make(create, item, calls)
        if len(found) > 1:
            ids = ", ".join(str(one) for one in found[:10])
            where = f"in meeting {create.meeting_id}"
            message = f"expected one {create.object} with this title {where}, got {ids}; give one's id as key"
            return Outcome(Fate.REJECTED, "conflict", message)
        if known is None:
            await calls.note({FOUND: str(found[0])})
        keeps_owner = create.object == "goal" and "user_id" not in work.names
        update = Update(create.object, found[0], work.fields, work.names, keeps_owner)
        outcome = await self._changer.change(update, calls)
        if not work.dropped or outcome.fate is not Fate.DELIVERED:
            return outcome
        warning = f"{create.object} {found[0]} exists, and Bloom Growth cannot change {', '.join(work.dropped)}"
        return Outcome(outcome.fate, outcome.code, record_id=outcome.record_id, warning=warning)

    async def _find(self, work: Upsert, calls: Calls) -> list[int]:
        create, title = work.create, fold(work.create.title)
        found: set[int] = set()

        def take(row: Record) -> None:
            if row.id is None:
                return
            self._seen.saw(create.object, row.id)
            owner_id = None if row.owner is None else row.owner.id
            if fold(row.name or "") == title and create.owner_id in (None, owner_id):
                found.add(row.id)

        await self._api.list(open_list(create.object, create.meeting_id or 0), calls.permit, take)
        return sorted(found)
