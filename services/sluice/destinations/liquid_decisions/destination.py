"""One community at Liquid Decisions: small batches are upserted, large ones imported where the settings say so."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import httpx
import msgspec

from sluice.destinations.contract import Misconfigured, OnRequest, PreSendCheck, Recovered, Refused
from sluice.destinations.liquid_decisions.assumed import (
    FORM_BYTES,
    MAX_AGE_S,
    MAX_IMPORT_BYTES,
    MAX_IMPORTS,
    MAX_UPSERT_BYTES,
    MAX_UPSERT_ITEMS,
    MAX_UPSERTS,
)
from sluice.destinations.liquid_decisions.calls import Calls
from sluice.destinations.liquid_decisions.imports import Imports
from sluice.destinations.liquid_decisions.items import Items, import_key
from sluice.destinations.liquid_decisions.key_folding import fold_key
from sluice.destinations.liquid_decisions.lookup import Lookup
from sluice.destinations.liquid_decisions.queries import Queries
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings
from sluice.destinations.liquid_decisions.upserts import Upserts
from sluice.destinations.vendor_jobs import (
    JobState,
    LostSubmit,
    Named,
    Over,
    Quota,
    Refs,
    Sent,
    Upload,
    VendorJob,
    WriteLimits,
)
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt, Item
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits

WRITE_LIMITS = WriteLimits(MAX_UPSERT_ITEMS, MAX_UPSERT_BYTES - len("[]"))


class LiquidDecisions:
    """One community, reached with one user."""

    joins_by: Literal["row"] = "row"
    ref_names = ("job",)
    warns_of = None
    quotas: Mapping[str, Quota] = MappingProxyType({})
    write_limits = WRITE_LIMITS

    def __init__(
        self,
        settings: LiquidDecisionsSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        self._settings = settings
        self.settle_s = settings.settle_s
        self.limits = _limits(settings)
        self._job_from = {
            import_key(name): 1 if type_.write == "import" else type_.import_from
            for name, type_ in settings.types.items()
            if type_.write != "upsert"
        }
        self._calls = Calls(settings, transport=transport, on_request=on_request)
        self._queries = Queries(settings, self._calls)
        self._lookup = Lookup(settings, self._queries)
        self._upserts = Upserts(self._calls, self._queries, self._lookup)
        self._imports = Imports(settings, self._calls, self._queries)
        self._encode = Items(settings).encode
        self.fold_key = fold_key

    @property
    def vendor_at(self) -> datetime | None:
        """The vendor's own clock in its newest answer."""
        return self._calls.vendor_at

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event`` as an item. Raises ``Rejection``."""
        return self._encode(event, identifier)

    def jobs_of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return ``items``, where they become an import: all of them or none."""
        least = self._job_from.get(items[0].encoded.batch_key)
        return items if least is not None and len(items) >= least else []

    async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
        """Upsert ``batch``. Raises ``BatchError``."""
        return await self._upserts.write(batch, pre_send_check)

    def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Look up items that were to be created. Raises ``Unavailable``, ``Misconfigured``, ``Refused``."""
        return self._lookup.recover(batch.items, in_doubt)

    async def prepare(self, batch: Batch) -> Upload:
        """Return the file of an import."""
        return await self._imports.prepare(batch)

    async def submit(self, batch: Batch, upload: Upload, named: Named, pre_send_check: PreSendCheck) -> Refs:
        """Submit an import. Raises ``BatchError``."""
        return await self._imports.submit(batch, upload, named, pre_send_check)

    async def find(
        self,
        lost: LostSubmit,
        others: Collection[Refs],  # noqa: ARG002  # there is no name to find it by
        sent: Sent,
    ) -> Refs | None:
        """Return names for a lost import once its effect is seen. Raises ``Unavailable``, ``Ambiguous``."""
        return await self._imports.find(lost, sent)

    def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        """Yield the states of imports. Raises ``Unavailable``, ``Misconfigured``."""
        return self._imports.poll(jobs)

    def collect(self, refs: Refs, over: Over, items: int, sent: Sent) -> AsyncIterator[tuple[object, Outcome | None]]:
        """Yield outcomes by row, by what is there of each item. Raises ``Unavailable``."""
        return self._imports.collect(refs, over, items, sent)

    async def abort(self, refs: Refs) -> None:
        """Cancel an import; what it has written stays."""
        await self._imports.abort(refs["job"])

    async def close(self, refs: Refs) -> None:
        """Ask for nothing: the vendor holds nothing open."""
        self._imports.forget(refs["job"])

    async def jobs(self) -> AsyncIterator[VendorJob]:
        """Yield nothing: no call lists jobs. §1"""
        for job in list[VendorJob]():
            yield job

    async def check(self) -> str:
        """See that reads and writes get through, and that the settings' types are there. Raises ``BatchError``."""
        user = await self._calls.user()
        if not user.community:
            raise Misconfigured(f"the token of {user.user_id} has no community; set `community_by: setCommunity`", 400)
        for name in self._settings.types:
            try:
                await self._queries.expect_table(name)
            except Refused as error:
                message = f"the item type {name} cannot be read: {error}; check its name, `category` and `table`"
                raise Misconfigured(message, error.http_status) from error
        with suppress(Refused):  # so it has arrived
            # An upsert of nothing: a firewall may let reads pass and no writes. §4 [assumed]
            await self._calls.write(b"[]", may_be_repeated=True, check=None)
        host = httpx.URL(self._settings.url).host
        types = ", ".join(self._settings.types)
        return f"Liquid Decisions at {host} accepts {user.user_id} in {user.community}; item types: {types}"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()


def _limits(settings: LiquidDecisionsSettings) -> Limits:
    """Return the limits of a window: of an import where there may be some, else of an upsert."""
    upserts = Limits(
        max_items=WRITE_LIMITS.max_items,
        max_bytes=WRITE_LIMITS.max_bytes,
        max_concurrent=MAX_UPSERTS,
        max_age_s=MAX_AGE_S,
    )
    if all(type_.write == "upsert" for type_ in settings.types.values()):
        return upserts
    return msgspec.structs.replace(
        upserts,
        max_items=settings.max_items_per_import,
        max_bytes=MAX_IMPORT_BYTES - FORM_BYTES,
        max_concurrent=MAX_UPSERTS + MAX_IMPORTS,
        max_jobs=settings.max_jobs,
    )
