"""One Bloom Growth user: each record takes a call or a few, and its work says which."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import httpx

from sluice.destinations.bloom_growth.answers import Record, is_json_text
from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.assumptions import MAX_BATCH_BYTES, MAX_READS
from sluice.destinations.bloom_growth.changes import Changer
from sluice.destinations.bloom_growth.creates import Creator
from sluice.destinations.bloom_growth.deletes import delete
from sluice.destinations.bloom_growth.errors import describe_answer, error_from, is_own_error
from sluice.destinations.bloom_growth.listings import own_lists
from sluice.destinations.bloom_growth.marks import Pads
from sluice.destinations.bloom_growth.meetings import Meetings
from sluice.destinations.bloom_growth.records import encode_record
from sluice.destinations.bloom_growth.recovery import Recovery
from sluice.destinations.bloom_growth.refs import id_in
from sluice.destinations.bloom_growth.scores import write_score
from sluice.destinations.bloom_growth.seen_ids import SeenIds
from sluice.destinations.bloom_growth.session import open_session
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.bloom_growth.upserts import Upserter
from sluice.destinations.bloom_growth.work import Attend, Create, Delete, Score, Update, Upsert, decode_work
from sluice.destinations.contract import Ambiguous, OnRequest, PreSendCheck, Recovered, Refused, Unavailable
from sluice.destinations.http import open_client
from sluice.destinations.item_calls import Calls
from sluice.destinations.vendor_answers import VendorAnswers
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.windows import Limits

BASE = "/api/v1"
"""Path of the API. §1 [client]"""
MAX_ITEMS = 100
"""Records of a chunk. §9, §14 [docs:guide]"""


class BloomGrowth:
    """One user, reached with one client."""

    def __init__(
        self,
        settings: BloomGrowthSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        base_url = settings.host + BASE
        self.limits = Limits(
            max_items=MAX_ITEMS,
            max_bytes=MAX_BATCH_BYTES,
            # The vendor's guide has 5 by default and 20 at most, so the limit is what the settings say, up to 20. §11
            max_concurrent=settings.max_concurrent,
            max_age_s=1.0,  # ours to choose
        )
        self.settle_s = settings.settle_s
        self._answers = VendorAnswers(settings.own_answer_header, is_own_error)
        self._client = open_client(
            settings,
            base_url=base_url,
            max_connections=settings.max_concurrent + MAX_READS + 1,
            auth=open_session(settings),
            transport=transport,
            on_request=on_request,
            on_response=self._answers.note,
        )
        self._api = Api(self._client, self._answers)
        self._seen = SeenIds()
        self._creator = Creator(self._api, self._seen)
        self._meetings = Meetings(self._api, self._creator)
        self._changer = Changer(self._api, self._meetings)
        self._upserter = Upserter(self._api, self._seen, self._creator, self._changer)
        has_marks = settings.marker == "notes"
        self._pads = Pads(settings, transport=transport, on_request=on_request) if has_marks else None
        self._recovery = Recovery(self._api, self._seen, self._pads, settings)
        self._checking = asyncio.Lock()
        self._where = httpx.URL(base_url).host

    @property
    def vendor_at(self) -> datetime | None:
        """The vendor's own clock in its newest answer."""
        return self._answers.vendor_at

    @property
    def newest_ids(self) -> Mapping[str, str]:
        """The greatest id that any answer has shown so far, by kind of object."""
        return self._seen.newest

    def learn(self, newest_ids: Mapping[str, str]) -> None:
        """Take note of the newest ids of a lane's last owner."""
        for kind in newest_ids:
            if (id_ := id_in(newest_ids, kind)) is not None:
                self._seen.saw(kind, id_)

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:  # noqa: ARG002  # no call has a field for it
        """Encode ``event`` as the work that it is. Raises ``Rejection``."""
        return encode_record(event, marks=self._pads is not None)

    async def write_item(self, item: Item, calls: Calls) -> Outcome:
        """Do the work of ``item``. Raises ``BatchError``."""
        match decode_work(item.encoded.body):
            case Create() as work:
                maker = self._meetings if work.object == "meeting" else self._creator
                return await maker.make(work, item, calls)
            case Update() as work:
                return await self._changer.change(work, calls)
            case Upsert() as work:
                return await self._upserter.upsert(work, item, calls)
            case Delete() as work:
                return await delete(work, item, self._api, calls)
            case Score() as work:
                return await write_score(work, item, self._api, calls)
            case Attend() as work:
                await self._api.change("POST", f"L10/{work.meeting_id}/attendees/{work.user_id}", calls.permit)
                return Outcome(Fate.DELIVERED, "ADDED", record_id=str(work.user_id))

    def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """List what is there in place of creates whose answer is lost. Raises ``Unavailable``."""
        return self._recovery.recover(batch.items, in_doubt)

    async def check(self) -> str:
        """Return who the token acts as, and see that writes get through, too. Raises ``BatchError``."""
        me = await self._api.probe(_permit)
        await self._check_writes()
        async with self._checking:
            if not self._seen.newest:
                await self._see_ids(me.id or 0)
        return f"Bloom Growth at {self._where} answers {me.name} ({me.id}), who owns what names no `user_id`"

    async def _check_writes(self) -> None:
        """See that a write of nothing is answered by the vendor: a firewall may let reads pass and no writes."""
        try:
            response = await self._api.write_nothing(_permit)
        except Ambiguous as error:
            raise Unavailable(error.reason, f"reads get through and writes do not: {error}") from error
        refusal = error_from(response, "read", is_own=True)
        # A refusal is what an unknown id gets, perhaps a 500. §10
        if isinstance(refusal, Unavailable) and refusal.reason != "500":
            raise refusal
        if response.is_redirect or (response.content and not is_json_text(response.content)):
            raise Unavailable("misconfigured", f"reads get through and writes do not: {describe_answer(response)}")

    async def _see_ids(self, me: int) -> None:
        """List what is ours, so that the first creates have a bound below what they make. It may be a low one."""
        for kind, path in own_lists(me).items():

            def take(row: Record, kind: str = kind) -> None:
                if row.id is not None:
                    self._seen.saw(kind, row.id)

            try:
                await self._api.list(path, _permit, take)
            except Refused:
                continue

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        if self._pads is not None:
            await self._pads.aclose()


@asynccontextmanager
async def _permit() -> AsyncIterator[PreSendCheck]:
    """Let a call of the check leave: it has no effect."""
    yield _let_pass


def _let_pass() -> None:
    """Let a request leave."""
