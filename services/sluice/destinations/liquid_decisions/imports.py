"""Imports: jobs that run a file of items later and tell one number alone. §7-§9, D3

1. Read the newest instant of the type at the vendor: all that the job will do comes after it. It is in the journal, as
   ``since``, before the submit leaves; and so is the vendor's own time, as ``at``.
2. Submit: the answer names the job. If it is lost, nobody can find the job by a name of ours, and it may run at any
   later time. So its records wait until its effect is seen on all of them (R-L4).
3. Ask for its state until it is over.
4. Look its items up in the feed of changes from ``since`` on.

=============================  ====================================================================================
what is found of an item       its fate
=============================  ====================================================================================
it is there as it was sent     delivered
it was not changed             tried again by upsert, which tells; untouched, if the job was canceled
it has other values            somebody else has written it since, or the vendor keeps another form of the values:
                               ambiguous, and never sent again; with ``foreign_writes: none`` and merge, tried again
=============================  ====================================================================================

Nothing was applied of a job that is ``Rejected``: its items are tried again by upsert, which names the bad ones (R-L2).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from hashlib import blake2b
from types import EllipsisType
from typing import TypeVar

from sluice.destinations.contract import Ambiguous, Misconfigured, PreSendCheck, Refused, Unavailable
from sluice.destinations.liquid_decisions.assumed import CLOCK_SLACK_S
from sluice.destinations.liquid_decisions.calls import Calls
from sluice.destinations.liquid_decisions.comparison import Comparison, add_row, rows_of
from sluice.destinations.liquid_decisions.feed import Feed
from sluice.destinations.liquid_decisions.import_form import boundary_of, import_form
from sluice.destinations.liquid_decisions.items import import_key
from sluice.destinations.liquid_decisions.job_status import COMPLETED, REJECTED, expect_status, read_status
from sluice.destinations.liquid_decisions.queries import Queries
from sluice.destinations.liquid_decisions.sent_rows import DIFFERENT, EQUAL, UNSEEN, SentRows
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings
from sluice.destinations.liquid_decisions.upserts import json_array
from sluice.destinations.vendor_jobs import Gone, JobState, LostSubmit, Named, Over, Refs, Sent, Upload
from sluice.flow.batch import Batch
from sluice.flow.outcome import Fate, Outcome

_Value = TypeVar("_Value")
SEEN = "seen"
"""The name of a lost job whose effect was seen on all records, in the place of the vendor's."""
SLICE = 500
"""Items after which others have their turn."""
_DELIVERED = Outcome(Fate.DELIVERED, "imported")
_MISSING = Outcome(Fate.RETRYABLE, "not-imported", "the job is over, and the item was not changed by it")
_OVERWRITTEN = Outcome(
    Fate.AMBIGUOUS,
    "other-values",
    "after its import the item has other values: somebody else's?",
    may_be_repeated=False,
)
_OTHER_VALUES = Outcome(Fate.RETRYABLE, "other-values", "after its import the item has other values")


class Imports:
    """Import jobs of one community."""

    def __init__(self, settings: LiquidDecisionsSettings, calls: Calls, queries: Queries) -> None:
        self._settings = settings
        self._types = {import_key(name): name for name in settings.types}
        self._calls = calls
        self._queries = queries
        self._feed = Feed(calls, settings.updates_page)
        self._prepared: dict[str, SentRows] = {}
        """By fingerprint, what is being submitted."""
        self._comparisons: dict[str, Comparison] = {}
        """By job, or by fingerprint where the job is not known."""
        self._over_since_s: dict[str, float] = {}
        """By job, when it was found to be over."""

    async def prepare(self, batch: Batch) -> Upload:
        """Return the file with the items of ``batch``."""
        file = json_array([item.encoded.body for item in batch.items])
        upload = Upload(file, blake2b(file, digest_size=16).hexdigest())
        if self._settings.verify == "always":
            key_fields = self._settings.types[self._types[batch.batch_key]].key_fields
            rows = SentRows()
            for at in range(0, len(batch.items), SLICE):
                for item in batch.items[at : at + SLICE]:
                    add_row(rows, item, key_fields)
                await asyncio.sleep(0)
            self._prepared = {**_newest(self._prepared, self._settings.max_jobs), upload.fingerprint: rows}
        return upload

    async def submit(self, batch: Batch, upload: Upload, named: Named, check: PreSendCheck) -> Refs:
        """Submit ``upload`` and return the vendor's name for the job. Raises ``BatchError``."""
        name = self._types[batch.batch_key]
        since_ms = await self._since_ms(name)
        await named({"type": name, "since": str(since_ms), "at": f"{_seconds(self._calls.vendor_at):.0f}"})
        boundary = boundary_of(upload.body)
        body = import_form(
            upload.body,
            boundary,
            job_name=batch.batch_id,
            item_type=name,
            merge=self._settings.types[name].merge,
            notification_email=self._settings.notification_email,
        )
        response = await self._calls.upload(body, boundary, check)
        status = read_status(response.content)
        if status is None:
            raise Ambiguous("the import was answered without the name of its job")
        if (rows := self._prepared.pop(upload.fingerprint, None)) is not None:
            self._remember(status.job_id, Comparison(name, since_ms, rows))
        return {"job": status.job_id}

    async def find(self, lost: LostSubmit, sent: Sent) -> Refs | None:
        """Return names for a lost job once its effect is seen on all records. Raises ``Unavailable``, ``Ambiguous``."""
        if "since" not in lost.refs:
            return None  # the name is in the journal before the submit leaves
        name = lost.refs.get("type", self._types.get(lost.batch_key, ""))
        comparison = await self._comparison(
            lost.fingerprint, name, lost.refs, sent, self._prepared.get(lost.fingerprint)
        )
        await self._read_feed(comparison, sent)
        rows = comparison.rows
        if (seen := rows.count(EQUAL)) == len(rows):
            self._prepared.pop(lost.fingerprint, None)
            self._comparisons.pop(lost.fingerprint, None)
            return {**lost.refs, "job": SEEN}
        if self._is_given_up(lost.refs):
            raise Ambiguous(f"its effect was seen on {seen:,} of {len(rows):,} records within `lost_after_s`")
        raise Unavailable(
            "no-answer",
            f"an import whose submit got no answer may still run: its effect is seen on {seen:,} of {len(rows):,} "
            "records; if it is dead for sure, say `sluice vendor-jobs forget`",
        )

    async def poll(self, jobs: Sequence[Refs]) -> AsyncGenerator[tuple[Refs, JobState], None]:
        """Yield the states of jobs, with a call for each. Raises ``Unavailable``, ``Misconfigured``."""
        for refs in jobs:
            job = refs.get("job")
            if job == SEEN:
                yield refs, Over(word=SEEN, processed=0, failed=0)
            elif job is not None:
                yield refs, await self._state(job)

    async def collect(
        self, refs: Refs, over: Over, items: int, sent: Sent
    ) -> AsyncGenerator[tuple[int, Outcome | None], None]:
        """Yield outcomes by row. Raises ``Unavailable``."""
        fate = self._shared_fate(over, items)
        if not isinstance(fate, EllipsisType):
            async with aclosing(sent()) as sent_items:
                async for item in sent_items:
                    yield item.row, fate
            return
        job = refs["job"]
        comparison = await self._comparison(job, refs["type"], refs, sent, None)
        await self._look(job, comparison, sent)
        merges = self._settings.types[comparison.name].merge
        other = _OTHER_VALUES if merges and self._settings.foreign_writes == "none" else _OVERWRITTEN
        missing = None if over.aborted else _MISSING
        for row, state in comparison.rows.states():
            yield row, _DELIVERED if state == EQUAL else missing if state == UNSEEN else other

    async def abort(self, job: str) -> None:
        """Ask for an end; what is applied by then stays. Does nothing to a job that is over, or unknown. §9"""
        if job == SEEN:
            return
        with suppress(Refused):
            try:
                await self._calls.read("batch/cancel", {"jobId": job})
            except Misconfigured as error:
                if error.http_status != 404:
                    raise

    def forget(self, job: str) -> None:
        """Take note that all of ``job`` is settled."""
        self._comparisons.pop(job, None)
        self._over_since_s.pop(job, None)

    async def _since_ms(self, name: str) -> int:
        """Return an instant, by the vendor's clock, before all that a job of the type ``name`` will do."""
        newest_ms = await self._queries.newest_ms(name)
        if newest_ms is not None:
            return newest_ms
        if self._calls.vendor_at is None:
            raise Unavailable("no-answer", f"neither the newest item of {name} nor the vendor's time can be read")
        return round((self._calls.vendor_at.timestamp() - CLOCK_SLACK_S) * 1000)

    async def _state(self, job: str) -> JobState:
        try:
            response = await self._calls.read("batch/status", {"jobId": job})
        except Misconfigured as error:
            if error.http_status == 404:
                return Gone(str(error))
            raise
        except Refused as error:
            raise Unavailable("no-answer", f"cannot ask for {job}: {error}") from error
        return expect_status(response.content).state()

    def _shared_fate(self, over: Over, items: int) -> Outcome | EllipsisType | None:
        """Return what all items share; ``None``: the vendor has touched none; ``...``: they must be looked up."""
        if over.word == SEEN:
            return _DELIVERED
        if over.word == REJECTED:
            return Outcome(Fate.RETRYABLE, REJECTED, f"the import was rejected as a whole: {over.message}")
        if over.aborted and not over.processed:
            return None
        agrees = over.word == COMPLETED and over.processed == items
        if self._settings.verify == "always" or (self._settings.verify == "on_mismatch" and not agrees):
            return ...
        return _DELIVERED if agrees else _MISSING

    async def _comparison(
        self, key: str, name: str, refs: Mapping[str, str], sent: Sent, prepared: SentRows | None
    ) -> Comparison:
        known = self._comparisons.get(key)
        if known is not None:
            return known
        rows = prepared
        if rows is None:
            async with aclosing(sent()) as items:
                rows = await rows_of(items, self._settings.types[name].key_fields)
        return self._remember(key, Comparison(name, int(refs["since"]), rows))

    def _remember(self, key: str, comparison: Comparison) -> Comparison:
        self._comparisons = {**_newest(self._comparisons, 2 * self._settings.max_jobs), key: comparison}
        return comparison

    async def _look(self, job: str, comparison: Comparison, sent: Sent) -> None:
        """Look for all items. Raises ``Unavailable`` to be asked again, while some may still be shown."""
        now_s = asyncio.get_running_loop().time()
        over_since_s = self._over_since_s.setdefault(job, now_s)
        await self._read_feed(comparison, sent)
        # One that differs may be shown as it was before.
        missing = comparison.rows.count(UNSEEN, DIFFERENT)
        wait_s = over_since_s + self._settings.read_lag_s - now_s
        if missing and wait_s > 0:
            message = f"{missing:,} of {len(comparison.rows):,} records of {job} are not seen yet as they were sent"
            raise Unavailable("no-answer", message, wait_s)

    async def _read_feed(self, comparison: Comparison, sent: Sent) -> None:
        others = [one for one in self._comparisons.values() if one.name == comparison.name and one is not comparison]
        lag_s = self._settings.read_lag_s
        await comparison.look(self._feed, self._queries, sent, overlap_s=lag_s, others=others)

    def _is_given_up(self, refs: Mapping[str, str]) -> bool:
        """Return whether the vendor's own clock has passed what the settings allow a lost submit."""
        after_s = self._settings.lost_after_s
        submitted_s, now_s = float(refs.get("at", 0)), _seconds(self._calls.vendor_at)
        return after_s is not None and 0 < submitted_s <= now_s - after_s


def _seconds(instant: datetime | None) -> float:
    """Return seconds since 1970; 0 for an instant that is not known."""
    return 0.0 if instant is None else instant.timestamp()


def _newest(known: dict[str, _Value], count: int) -> dict[str, _Value]:
    """Return the ``count`` newest of ``known``: the others can be read again."""
    return dict(list(known.items())[-count:])
