"""States of jobs of Bulk API 2.0, from the org's list or one by one, whichever costs fewer calls. §4.1

The list has no counts, so a job that is over is asked for alone, once.
"""

from collections.abc import AsyncIterator, Sequence

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.salesforce.bulk2_calls import UNKNOWN, Bulk2Calls, IngestJob
from sluice.destinations.salesforce.calls import Calls
from sluice.destinations.salesforce.errors import is_code
from sluice.destinations.salesforce.job_list import job_pages
from sluice.destinations.salesforce.job_targets import Target, read_target
from sluice.destinations.vendor_jobs import Gone, JobState, Over, Refs, Running

OVER = frozenset({"JobComplete", "Failed", "Aborted"})
"""§4.1 [docs]"""
WORTH_A_PAGE = 2
"""Jobs that a page of the list must name to be cheaper than to ask for them alone. The org's other jobs of a week stand
in it too, in no order."""
MAX_TARGETS = 10_000


class Bulk2States:
    """Reader of states. It remembers what jobs that are over were for, which their results do not say."""

    def __init__(self, calls: Calls, bulk2: Bulk2Calls) -> None:
        self._calls = calls
        self._bulk2 = bulk2
        self._targets: dict[str, Target] = {}

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        """Yield the state of each of ``jobs``.

        Raises ``Unavailable`` at its end when one job could not be asked for, or at the second: others may be well.
        """
        running = await self._running(jobs)
        outage: Unavailable | None = None
        for refs in jobs:
            if refs["job"] in running:
                yield refs, Running(running[refs["job"]])
                continue
            try:
                state = await self._state(refs["job"])
            except Unavailable as error:
                if outage is not None:
                    raise
                outage = error
            else:
                yield refs, state
        if outage is not None:
            raise outage

    async def target(self, job: str) -> Target:
        """Return what ``job`` is for. Raises what the call raises."""
        if job not in self._targets:
            self._note(await self._bulk2.job(job))
        return self._targets[job]

    def forget(self, job: str) -> None:
        """Forget ``job``, whose results are settled."""
        self._targets.pop(job, None)

    async def _running(self, jobs: Sequence[Refs]) -> dict[str, str]:
        """Return the words of those of ``jobs`` that the list names and that are not over."""
        unseen = {refs["job"] for refs in jobs}
        running: dict[str, str] = {}
        if len(unseen) <= WORTH_A_PAGE:
            return running
        async for page in job_pages(self._calls, "V2Ingest"):
            named = [job for job in page if job.id in unseen]
            running |= {job.id: job.state for job in named if job.state not in OVER}
            unseen -= {job.id for job in named}
            if len(named) < WORTH_A_PAGE or len(unseen) < WORTH_A_PAGE:
                break
        return running

    async def _state(self, job: str) -> JobState:
        try:
            info = await self._bulk2.job(job)
        except Refused as error:
            if is_code(error, *UNKNOWN):
                return Gone(str(error))
            raise Unavailable("no-answer", f"cannot see the state of {job}: {error}") from error
        if info.state not in OVER:
            return Running(info.state, info.number_records_processed)
        self._note(info)
        return Over(
            word=info.state,
            processed=info.number_records_processed,
            failed=info.number_records_failed,
            aborted=info.state == "Aborted",
            message=info.error_message or "",
        )

    def _note(self, job: IngestJob) -> None:
        self._targets[job.id] = read_target(job.batch_key())
        if len(self._targets) > MAX_TARGETS:
            del self._targets[next(iter(self._targets))]
