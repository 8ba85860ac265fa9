"""Bulk API 2.0: a batch is a job of its own, which runs from the moment when it is told that its rows are complete. §4

======================================  ===============================================================================
verb                                    calls
======================================  ===============================================================================
``submit``                              create job; its name is in the journal; put the rows; set ``UploadComplete``,
                                        the point of no return
``find``                                abort a job that still takes rows, so that it cannot start any more
``poll``                                ask for one or two jobs alone, for more by the org's list
``collect``                             read successes, failures and what was not processed, each row by its key
``close``                               none: nothing is held open, and jobs are never deleted
======================================  ===============================================================================
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Literal

import httpx

from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    Kind,
    OnRequest,
    PreSendCheck,
    Refused,
    Unavailable,
)
from sluice.destinations.salesforce.bulk2_calls import OTHER_STATE, UNKNOWN, Bulk2Calls
from sluice.destinations.salesforce.bulk2_results import Bulk2Results
from sluice.destinations.salesforce.bulk2_states import OVER, Bulk2States
from sluice.destinations.salesforce.calls import Calls
from sluice.destinations.salesforce.descriptions import Descriptions
from sluice.destinations.salesforce.errors import is_code
from sluice.destinations.salesforce.job_list import listed_jobs
from sluice.destinations.salesforce.job_targets import Target, read_target
from sluice.destinations.salesforce.org_check import check_org
from sluice.destinations.salesforce.record_fields import EMPTY_TEXT
from sluice.destinations.salesforce.records import Records, of_object
from sluice.destinations.salesforce.refused_targets import RefusedTargets
from sluice.destinations.salesforce.row_formats import ROW_FORMATS
from sluice.destinations.salesforce.settings import Bulk2Settings
from sluice.destinations.salesforce.uploads import make_upload
from sluice.destinations.vendor_jobs import JobState, LostSubmit, Named, Over, Quota, Refs, Sent, Upload, VendorJob
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits

log = logging.getLogger(__name__)

MAX_BYTES = 100_000_000
"""Of 150 MB after base64 growth. §7 [docs]"""
MAX_HEADER_BYTES = 32_000
"""§12 [docs]"""
MAX_CONCURRENT = 2
"""Requests that hand a batch over. [assumed]"""
MAX_READS = 4
"""Connections beside those."""
MAX_AGE_S = 30.0
"""Ours to choose: each job takes a batch of the 15,000 a day that everybody shares. §7 [docs]"""
MAX_LOOKS = 4
"""Looks at a job whose state changes while it is being aborted."""
NO_JOB = "750000000000000AAA"
"""An id that no job has. [assumed]"""


class Bulk2:
    """One org, written through Bulk API 2.0."""

    joins_by: Literal["identity"] = "identity"
    ref_names = ("job",)

    def __init__(
        self,
        settings: Bulk2Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        """``transport`` replaces the network in tests. Raises ``Misconfigured``."""
        self._settings = settings
        self.settle_s = settings.settle_s
        self.warns_of = EMPTY_TEXT if settings.empty_text == "clear" else None
        self.limits = Limits(
            max_items=settings.max_items_per_job,
            max_bytes=MAX_BYTES,
            max_concurrent=MAX_CONCURRENT,
            max_age_s=MAX_AGE_S,
            max_jobs=settings.max_jobs,
            max_header_bytes=MAX_HEADER_BYTES,
        )
        self._calls = Calls(
            settings,
            settings.login,
            api_version=settings.api_version,
            max_connections=MAX_CONCURRENT + MAX_READS,
            transport=transport,
            on_request=on_request,
        )
        self._bulk2 = Bulk2Calls(self._calls)
        self._states = Bulk2States(self._calls, self._bulk2)
        self._descriptions = Descriptions(self._calls.find, settings.describe_age_s, time.monotonic)
        self._refused = RefusedTargets(time.monotonic)
        self._results = Bulk2Results(settings, self._bulk2, self._states, self._descriptions)
        self._encode = Records(settings, ROW_FORMATS["CSV"], needs_identifier=True).encode

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
        return await make_upload(batch, "CSV", self._descriptions)

    async def submit(self, batch: Batch, upload: Upload, named: Named, pre_send_check: PreSendCheck) -> Refs:
        """Make a job for ``upload`` and start it. Raises ``BatchError``."""
        try:
            job = await self._create_job(read_target(batch.batch_key), pre_send_check)
        except Refused as error:
            self._refused.note(batch.batch_key, error)
            raise
        try:
            await named({"job": job})
            await self._bulk2.put(job, upload.body, pre_send_check)
            await self._bulk2.start(job, pre_send_check)
        except (Ambiguous, asyncio.CancelledError):
            raise  # it may run, so whoever looks for it ends it
        except Refused as error:
            if not is_code(error, *OTHER_STATE, *UNKNOWN):
                await self._abandon(job)
                raise
            await self._expect_ended(job, error)
        except Exception:  # of `named`, too, whatever that is
            await self._abandon(job)
            raise
        return {"job": job}

    async def find(
        self,
        lost: LostSubmit,
        others: Collection[Refs],  # noqa: ARG002  # a job is found by its name
        sent: Sent | None = None,  # noqa: ARG002  # likewise
    ) -> Refs | None:
        """Return the job if it was started, or ``None``. Raises ``Unavailable``, ``Misconfigured``, ``Ambiguous``."""
        if "job" not in lost.refs:
            return None  # to make a job writes nothing, and without its name it was not started
        job = lost.refs["job"]
        try:
            has_run = await self._end(job)
        except Refused as error:
            if not is_code(error, *UNKNOWN):
                raise Unavailable("no-answer", f"cannot look for {job}: {error}") from error
            raise Ambiguous(f"Salesforce does not know the job {job} any more: {error}") from error
        return {"job": job} if has_run else None

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        """Yield the states of jobs. Raises ``Unavailable``, ``Misconfigured``."""
        await self._calls.read_quotas()
        async for state in self._states.poll(jobs):
            yield state

    async def collect(
        self,
        refs: Refs,
        over: Over,
        items: int,
        sent: Sent | None = None,  # noqa: ARG002  # the results name each record
    ) -> AsyncIterator[tuple[object, Outcome | None]]:
        """Yield outcomes by identity. Raises ``Refused`` for a job that failed whole because of one of its records."""
        async with aclosing(self._results.collect(refs["job"], over, items)) as results:
            async for identity, outcome in results:
                yield identity, outcome

    async def abort(self, refs: Refs) -> None:
        """Abort the job; what it has written stays. §4.1 [docs]"""
        try:
            await self._bulk2.abort(refs["job"])
        except Refused as error:
            if not is_code(error, *OTHER_STATE, *UNKNOWN):
                raise Unavailable("no-answer", f"cannot abort {refs['job']}: {error}") from error

    async def close(self, refs: Refs) -> None:
        """Ask for nothing: an ended job holds nothing open, and its results stay for people to read."""
        self._states.forget(refs["job"])
        self._results.forget(refs["job"])

    async def jobs(self) -> AsyncIterator[VendorJob]:
        """Yield the jobs that the org lists, ours and others'."""
        async for job in listed_jobs(self._calls, "V2Ingest"):
            yield VendorJob(
                refs={"job": job.id},
                word=job.state,
                over=job.state in OVER,
                batch_key=job.batch_key(),
                created_at=job.created_date,
                created_by=job.created_by_id,
            )

    async def check(self) -> str:
        """See that reads and writes get through, and that what the settings name exists. Raises ``BatchError``."""
        answer = await check_org(self._settings, self._calls, self._descriptions, needs_identifier=True)
        with suppress(Refused):  # so it arrived
            await self._bulk2.abort(NO_JOB)
        for object_ in self._settings.hard_deletes:
            await self._abandon(await self._create_job(Target(object_, "hardDelete"), None))
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    async def _create_job(self, target: Target, check: PreSendCheck | None) -> str:
        rule = of_object(self._settings.assignment_rule_ids, target.object)
        return await self._bulk2.create_job(target, rule, check)

    async def _end(self, job: str) -> bool:
        """End ``job`` unless it was started; return whether it was. Raises ``Refused`` for one that is unknown."""
        was_aborted = False
        for _ in range(MAX_LOOKS):
            info = await self._bulk2.job(job)
            if info.state == "Aborted" and (was_aborted or info.number_records_processed):
                return info.number_records_processed > 0
            if info.state not in ("Open", "Aborted"):
                return True
            try:
                if info.state == "Open":
                    await self._bulk2.abort(job)
            except Refused as error:
                # A late start may have come first: look again.
                if not is_code(error, *OTHER_STATE):
                    raise
            else:
                # A start may have come before the end, ours or another owner's a moment ago, and its count lag.
                was_aborted = True
                await asyncio.sleep(self._settings.read_lag_s)
        raise Unavailable("no-answer", f"the state of {job} changes all the time; looking again later")

    async def _expect_ended(self, job: str, refused: Refused) -> None:
        """Return if ``job`` runs, whose start was refused; raise ``Unavailable`` if it never will.

        Somebody else may have ended it. Or the start came twice, on its way through a proxy, and the second was
        refused.
        """
        try:
            has_run = await self._end(job)
        except BatchError as error:
            if isinstance(error, Refused) and is_code(error, *UNKNOWN):
                has_run = False
            else:
                raise Ambiguous(f"{refused}; and what became of it cannot be read: {error}") from error
        if not has_run:
            raise Unavailable("no-answer", f"somebody has ended our job before it was started: {refused}")

    async def _abandon(self, job: str) -> None:
        """Abort ``job``, which will not be started, so that it is not left open."""
        try:
            await self._bulk2.abort(job)
        except BatchError as error:
            log.warning("vendor job left open", extra={"vendor_job": {"job": job}, "error": str(error)})


KIND = Kind(Bulk2Settings, Bulk2)
