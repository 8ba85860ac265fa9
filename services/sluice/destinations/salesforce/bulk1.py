"""Bulk API 1.0: batches of one object and operation go to one open job, and start when they arrive. §3

======================================  ===============================================================================
verb                                    calls
======================================  ===============================================================================
``submit``                              create job, if none is open for the key; the job's name is in the journal; add
                                        batch, the point of no return
``find``                                close job, so that nothing can arrive any more; list its batches; read what was
                                        sent as those that nobody else has
``poll``                                list the batches of each job
``collect``                             read the results of a batch: the n-th is of its n-th record
``close``                               close job, once none of our batches needs it
======================================  ===============================================================================
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Literal

import httpx
import msgspec

from sluice.destinations.contract import (
    Ambiguous,
    Kind,
    OnRequest,
    PreSendCheck,
    Refused,
    Unavailable,
)
from sluice.destinations.salesforce.bulk1_calls import UNKNOWN, Bulk1Calls, JobOrder
from sluice.destinations.salesforce.bulk1_results import Bulk1Results
from sluice.destinations.salesforce.bulk1_search import find_batch
from sluice.destinations.salesforce.bulk1_states import Bulk1States
from sluice.destinations.salesforce.calls import Calls
from sluice.destinations.salesforce.descriptions import Descriptions
from sluice.destinations.salesforce.errors import is_code
from sluice.destinations.salesforce.job_list import listed_jobs
from sluice.destinations.salesforce.job_targets import Target, read_target
from sluice.destinations.salesforce.open_jobs import OpenJobs
from sluice.destinations.salesforce.org_check import check_org
from sluice.destinations.salesforce.record_fields import EMPTY_TEXT
from sluice.destinations.salesforce.records import Records, of_object
from sluice.destinations.salesforce.refused_targets import RefusedTargets
from sluice.destinations.salesforce.request_bodies import FRAMES
from sluice.destinations.salesforce.row_formats import ROW_FORMATS
from sluice.destinations.salesforce.settings import Bulk1Settings
from sluice.destinations.salesforce.uploads import make_upload
from sluice.destinations.vendor_jobs import JobState, LostSubmit, Named, Over, Quota, Refs, Sent, Upload, VendorJob
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits

LIMITS = Limits(
    max_items=10_000,  # §7 [docs]
    max_bytes=9_500_000,  # of 10,000,000 [docs], §12 [assumed]: room for the header and quotes
    max_concurrent=2,  # [assumed]: each holds a whole batch, and two keep a line busy
    max_age_s=30.0,  # ours to choose: 15,000 batches a day are shared by everybody, §7 [docs]
    max_jobs=100,  # [assumed]: of 2,000 that an org may have waiting, §7 [docs]
    max_header_bytes=32_000,  # §12 [docs]
)
MAX_READS = 4
"""Connections beside those that hand batches over."""
MAX_ENDED = 1000
"""Jobs of which it is remembered that they are closed."""
UNKNOWN_JOB = "750000000000000AAA"
"""An id that no job has. [assumed]"""


class Bulk1:
    """One org, written through Bulk API 1.0."""

    joins_by: Literal["row"] = "row"
    ref_names = ("job", "batch")

    def __init__(
        self,
        settings: Bulk1Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        """``transport`` replaces the network in tests. Raises ``Misconfigured``."""
        self._settings = settings
        self._content_type = settings.content_type
        frame_bytes = FRAMES[settings.content_type].extra_bytes
        self.limits = msgspec.structs.replace(LIMITS, max_bytes=LIMITS.max_bytes - frame_bytes)
        self.settle_s = settings.settle_s
        self.warns_of = EMPTY_TEXT if settings.empty_text == "clear" else None
        self._calls = Calls(
            settings,
            settings.login,
            api_version=settings.api_version,
            max_connections=LIMITS.max_concurrent + MAX_READS,
            compress=settings.gzip,
            transport=transport,
            on_request=on_request,
        )
        self._bulk1 = Bulk1Calls(self._calls, settings.content_type)
        self._open = OpenJobs(self._create_job, max_age_s=settings.max_open_s, max_batches=settings.max_batches_per_job)
        self._ended: deque[str] = deque(maxlen=MAX_ENDED)
        self._states = Bulk1States(self._bulk1)
        self._results = Bulk1Results(self._bulk1, settings.content_type)
        self._descriptions = self._describe()
        self._refused = RefusedTargets(time.monotonic)
        self._encode = Records(settings, ROW_FORMATS[settings.content_type], needs_identifier=False).encode

    @property
    def vendor_at(self) -> datetime | None:
        """The org's own clock in its newest answer."""
        return self._calls.vendor_at

    @property
    def quotas(self) -> Mapping[str, Quota]:
        """The org's budgets as it told them last."""
        return self._calls.quotas

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event`` as a row. Raises ``Rejection``."""
        return self._encode(event, identifier)

    async def prepare(self, batch: Batch) -> Upload:
        """Return the body with all items of ``batch``. Raises ``RefusedItems``, ``BatchError``."""
        # Where nothing runs nobody polls, and the budgets would grow old.
        await self._calls.read_quotas()
        self._refused.check(batch)
        return await make_upload(batch, self._content_type, self._descriptions)

    async def submit(self, batch: Batch, upload: Upload, named: Named, pre_send_check: PreSendCheck) -> Refs:
        """Add ``upload`` as a batch to the open job of its key. Raises ``BatchError``."""
        for _ in range(2):
            async with self._open.take(batch.batch_key, upload.fingerprint, pre_send_check) as job:
                await named({"job": job})
                try:
                    added = await self._bulk1.add_batch(job, upload.body, pre_send_check)
                except Refused as error:
                    if not is_code(error, "InvalidJobState", "InvalidJob", "NOT_FOUND"):
                        raise
                    # Somebody has closed or aborted the job: go on with another one. §3.11
                    self._open.retire(job)
                else:
                    self._open.added(job, added)
                    return {"job": job, "batch": added}
        raise Unavailable("no-answer", "two jobs in a row took no batches: somebody closes or aborts our jobs")

    async def find(
        self,
        lost: LostSubmit,
        others: Collection[Refs],
        sent: Sent | None = None,  # noqa: ARG002  # the vendor has it
    ) -> Refs | None:
        """Return the batch that was added, or ``None``. Raises ``Unavailable``, ``Misconfigured``, ``Ambiguous``.

        No other batch of the job has the same body.
        """
        if "batch" in lost.refs:
            return lost.refs
        if "job" not in lost.refs:
            return None  # to make a job writes nothing, and without its name no batch was added
        job = lost.refs["job"]
        self._open.retire(job)
        taken = {refs["batch"] for refs in others if "batch" in refs}
        try:
            await self._end(job)
            found = await find_batch(self._bulk1, job, lost, taken)
            if found is None:
                # Once more: the job takes nothing any more, but what came before may be at work, and the list lags. §8
                await self._until_told(lost)
                found = await find_batch(self._bulk1, job, lost, taken)
        except Refused as error:
            if not is_code(error, *UNKNOWN):
                raise Unavailable("no-answer", f"cannot look into {job}: {error}") from error
            raise Ambiguous(f"Salesforce does not know the job {job} any more: {error}") from error
        return None if found is None else {"job": job, "batch": found}

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        """Yield the states of batches, with one call per distinct job. Raises ``Unavailable``, ``Misconfigured``."""
        await self._calls.read_quotas()
        async for state in self._states.poll(jobs):
            yield state

    async def collect(
        self,
        refs: Refs,
        over: Over,
        items: int,
        sent: Sent | None = None,  # noqa: ARG002  # results name their rows
    ) -> AsyncIterator[tuple[object, Outcome | None]]:
        """Yield outcomes by row. Raises ``Refused`` for a batch that failed whole because of one of its records."""
        try:
            async for row, outcome in self._results.collect(refs, over, items):
                yield row, outcome
        except Refused:
            # Perhaps for a field that is gone: the next description tells which records have it. §13, row 15
            self._descriptions = self._describe()
            raise

    async def abort(self, refs: Refs) -> None:
        """Abort the whole job: Salesforce cannot end a batch alone. §3.4"""
        self._open.retire(refs["job"])
        try:
            await self._bulk1.abort_job(refs["job"])
        except Refused as error:
            if not is_code(error, "InvalidJobState", *UNKNOWN):
                raise

    async def close(self, refs: Refs) -> None:
        """Close the job once no batch of ours here needs it. Another process may close it earlier, which harms none."""
        if self._open.settle(refs["job"], refs.get("batch", "")):
            try:
                await self._end(refs["job"])
            except Refused as error:
                if not is_code(error, *UNKNOWN):
                    raise

    async def jobs(self) -> AsyncIterator[VendorJob]:
        """Yield the jobs of Bulk API 1.0 that 2.0 lists, with one more call for each that may run."""
        async for job in listed_jobs(self._calls, "Classic"):
            over, items, external_id = job.state not in ("Open", "Closed"), None, None
            if not over:
                try:
                    info = await self._bulk1.job(job.id)
                except Refused:
                    continue  # gone meanwhile
                over, items, external_id = info.is_over, info.number_records_processed, info.external_id_field_name
            yield VendorJob(
                refs={"job": job.id},
                word=job.state,
                over=over,
                batch_key=job.batch_key(external_id),
                created_at=job.created_date,
                created_by=job.created_by_id,
                items=items,
            )

    async def check(self) -> str:
        """See that reads and writes get through, and that what the settings name exists. Raises ``BatchError``."""
        answer = await check_org(self._settings, self._calls, self._descriptions, needs_identifier=False)
        with suppress(Refused):  # so it arrived
            await self._bulk1.close_job(UNKNOWN_JOB)
        for object_ in self._settings.hard_deletes:
            await self.abort({"job": await self._create_job(Target(object_, "hardDelete").batch_key, None)})
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def _describe(self) -> Descriptions:
        return Descriptions(self._calls.find, self._settings.describe_age_s, time.monotonic)

    async def _create_job(self, batch_key: str, check: PreSendCheck | None) -> str:
        target = read_target(batch_key)
        order = JobOrder(
            target.operation,
            target.object,
            target.external_id,
            self._settings.concurrency,
            of_object(self._settings.assignment_rule_ids, target.object),
            self._content_type,
        )
        try:
            job = await self._bulk1.create_job(order, check)
        except Refused as error:
            self._refused.note(batch_key, error)
            raise
        self._results.learn(job, target.operation)
        return job

    async def _until_told(self, lost: LostSubmit) -> None:
        """Wait until a list tells of ``lost`` if it has arrived, and that it was looked at a moment ago."""
        read_lag_s, now_s = self._settings.read_lag_s, asyncio.get_running_loop().time()
        await asyncio.sleep(max(read_lag_s, lost.lost_at_s + self.settle_s + read_lag_s - now_s))

    async def _end(self, job: str) -> None:
        """Close ``job``, once: each batch of it asks for that. Raises ``Refused`` for one that is unknown."""
        if job in self._ended:
            return
        try:
            await self._bulk1.close_job(job)
        except Refused as error:
            # An aborted job takes nothing any more, either. §3.4 [assumed]
            if not is_code(error, "InvalidJobState"):
                raise
        self._ended.append(job)


KIND = Kind(Bulk1Settings, Bulk1)
