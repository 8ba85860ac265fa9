"""Recovery of creates whose answer was lost: list what is there, and accept only a proof.

1. What is safe to repeat, and what an item's refs tell of, is written again: it goes on where it stopped.
2. Wait ``settle_s + read_lag_s`` from the loss: the server goes on with a request after its client has left. §15
3. List each place once for all items in doubt there, keeping what may be theirs. Meetings are read one by one.
4. ``verdicts`` judges. An adopted record is credited at once, so that no other item adopts it too.

What this process itself has seen an item make needs no list: its lane was lost before the receipt, and came back.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from sluice.destinations.bloom_growth.answers import Record
from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.assumptions import MAX_NAMESAKES, MAX_READS
from sluice.destinations.bloom_growth.listings import all_lists
from sluice.destinations.bloom_growth.marks import MARKED, Pads, mark_of
from sluice.destinations.bloom_growth.meetings import ADOPTED, MEETING
from sluice.destinations.bloom_growth.refs import id_in
from sluice.destinations.bloom_growth.seen_ids import SeenIds
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.bloom_growth.titles import fold, may_be_cut
from sluice.destinations.bloom_growth.upserts import FOUND
from sluice.destinations.bloom_growth.verdicts import (
    Adopted,
    Bounds,
    Doubt,
    Listed,
    NotCreated,
    Unknown,
    Verdict,
    judge,
    judge_claims,
    lane_key,
)
from sluice.destinations.bloom_growth.work import Create, Upsert, Work, decode_work
from sluice.destinations.contract import Misconfigured, PreSendCheck, Recovered, Refused, Unavailable
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome


class Recovery:
    """Finder of records at one account."""

    def __init__(self, api: Api, seen: SeenIds, pads: Pads | None, settings: BloomGrowthSettings) -> None:
        self._api = api
        self._seen = seen
        self._pads = pads
        self._has_no_namesakes = settings.namesakes == "none"
        self._proof_after_s = settings.settle_s + settings.read_lag_s
        self._reads = asyncio.Semaphore(MAX_READS)

    async def recover(self, items: Sequence[Item], in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Find out about ``items``. Raises ``Unavailable`` at the end when some places could not be listed."""
        places: dict[tuple[str, int | None], list[Doubt]] = defaultdict(list)
        for item in items:
            work = decode_work(item.encoded.body)
            create = work.create if isinstance(work, Upsert) else work
            if item.encoded.replay_safe or not isinstance(create, Create) or _is_begun(item, work):
                yield item, None
            elif (made := self._seen.made_by(item)) is not None:
                yield self._adopted(item, create, made)
            elif not create.is_listed:
                yield item, _ambiguous("a meeting that we do not attend (add_self: false) is in no list; look for it")
            else:
                places[create.object, create.meeting_id].append(self._doubt(item, create))
        if not places:
            return
        # A record listed earlier could be missing and be made by our own request a moment later.
        await asyncio.sleep(in_doubt.lost_at_s + self._proof_after_s - asyncio.get_running_loop().time())
        failures: list[Unavailable] = []
        # In a new order each time, or a place that always fails would keep the others from being listed.
        for place in random.sample(list(places), len(places)):
            try:
                verdicts = await self._look(place, places[place], in_doubt)
            except Refused as error:
                verdicts = [(doubt, Unknown(str(error))) for doubt in places[place]]
            except Misconfigured as error:
                failures.append(Unavailable("misconfigured", str(error)))
                continue
            except Unavailable as error:
                failures.append(error)
                continue
            for found in self._recovered(verdicts):
                yield found
        if failures:
            raise max(failures, key=lambda error: error.retry_after_s or 0.0)

    def _doubt(self, item: Item, create: Create) -> Doubt:
        return Doubt(
            item=item,
            create=create,
            title=fold(create.title),
            is_alone=self._has_no_namesakes or item.key == lane_key(create),
        )

    async def _look(
        self, place: tuple[str, int | None], doubts: Sequence[Doubt], in_doubt: InDoubt
    ) -> list[tuple[Doubt, Verdict]]:
        kind, meeting_id = place
        bounds, titles = Bounds(kind, in_doubt), {doubt.title for doubt in doubts}
        listed: dict[int, Listed] = {}

        def take(row: Record) -> None:
            if row.id is None:
                return
            self._seen.saw(kind, row.id)
            if kind == "todo" and meeting_id is None and row.origin_id:
                return  # of a meeting: a user's list has all of that user
            one = bounds.listed(row)
            if one is None or self._seen.is_credited(kind, one.id):
                return
            if one.title in titles or any(may_be_cut(one.title, title) for title in titles):
                listed[one.id] = one

        me = await self._api.me(self._permit)
        owner_ids = {doubt.create.owner_id for doubt in doubts} - {None}
        for path in all_lists(kind, meeting_id, [one for one in owner_ids if one is not None], me):
            await self._api.list(path, self._permit, take)
        if kind == "meeting":
            if len(listed) > MAX_NAMESAKES:
                return [(doubt, Unknown(f"found {len(listed)} meetings with its title")) for doubt in doubts]
            await self._date_meetings(listed, bounds)
        by_mark = await self._find_by_marks(kind, doubts, listed)
        found = {doubt.item.row for doubt, _ in by_mark}
        return by_mark + judge([doubt for doubt in doubts if doubt.item.row not in found], listed)

    async def _find_by_marks(
        self, kind: str, doubts: Sequence[Doubt], listed: dict[int, Listed]
    ) -> list[tuple[Doubt, Verdict]]:
        """Return whose notes name them, and leave out of ``listed`` whatever has a mark: it is another item's."""
        if self._pads is None or kind not in MARKED or len(listed) > MAX_NAMESAKES * len(doubts):
            return []
        claims: list[tuple[Doubt, int]] = []
        for one in list(listed.values()):
            async with self._reads:
                marks = await self._pads.marks(one.details_url)
            if marks:
                del listed[one.id]
            claims += [(doubt, one.id) for doubt in doubts if mark_of(doubt.item.event.event_id) in marks]
        return judge_claims(claims)

    async def _date_meetings(self, listed: dict[int, Listed], bounds: Bounds) -> None:
        """Leave out the meetings that were made before: their list has names alone. §15"""
        for id_ in list(listed):
            row = await self._api.read(f"L10/{id_}", self._permit)
            name = None if row.basics is None else row.basics.name
            one = bounds.listed(Record(id=id_, name=name, create_time=row.create_time))
            if one is None:
                del listed[id_]
            elif name is not None:
                listed[id_] = one

    def _recovered(self, verdicts: Sequence[tuple[Doubt, Verdict]]) -> Iterator[Recovered]:
        for (item, create, *_), verdict in verdicts:
            match verdict:
                case NotCreated():
                    yield item, None
                case Unknown(why):
                    yield item, _ambiguous(why)
                case Adopted(id_):
                    yield self._adopted(item, create, id_)

    def _adopted(self, item: Item, create: Create, id_: int) -> Recovered:
        self._seen.credit(create.object, id_, item)
        if not create.attendees:
            message = "the answer was lost, and the record was found"
            return item, Outcome(Fate.DELIVERED, "adopted", message, str(id_))
        item.refs = {**item.refs, MEETING: str(id_), ADOPTED: "yes"}
        return item, None

    @asynccontextmanager
    async def _permit(self) -> AsyncIterator[PreSendCheck]:
        async with self._reads:
            yield _let_pass


def _is_begun(item: Item, work: Work) -> bool:
    """Return whether the refs tell how far the work came; those of other work, before an edit, do not."""
    match work:
        case Upsert():
            return id_in(item.refs, FOUND) is not None
        case Create(object="meeting"):
            return id_in(item.refs, MEETING) is not None
        case _:
            return False


def _let_pass() -> None:
    """Let a request leave: a read does no harm, whoever owns the lane."""


def _ambiguous(why: str) -> Outcome:
    return Outcome(Fate.AMBIGUOUS, "no-answer", f"the answer was lost, and whether it was created is not known: {why}")
