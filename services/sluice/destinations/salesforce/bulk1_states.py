"""States of batches of Bulk API 1.0, asked for job by job. §3.6, §3.10"""

from collections.abc import AsyncIterator, Sequence

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.salesforce.bulk1_answers import BatchInfo
from sluice.destinations.salesforce.bulk1_calls import UNKNOWN, Bulk1Calls
from sluice.destinations.salesforce.errors import is_code
from sluice.destinations.vendor_jobs import Gone, JobState, Over, Refs, Running

OVER = frozenset({"Completed", "Failed", "NotProcessed"})
"""§3.10 [docs]. ``NotProcessed`` is an end, too."""


class Bulk1States:
    """Reader of states."""

    def __init__(self, bulk1: Bulk1Calls) -> None:
        self._bulk1 = bulk1

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        """Yield the state of each of ``jobs``; a batch that its job's list lacks is asked for alone, as is a whole job.

        Raises ``Unavailable`` at its end when one job could not be asked, or at the second: others may be well.
        """
        by_job: dict[str, list[Refs]] = {}
        for refs in jobs:
            by_job.setdefault(refs["job"], []).append(refs)
        outage: Unavailable | None = None
        for job, members in by_job.items():
            try:
                states = await self._states(job, members)
            except Unavailable as error:
                if outage is not None:
                    raise
                outage = error
                continue
            for refs, state in states:
                yield refs, state
        if outage is not None:
            raise outage

    async def _states(self, job: str, members: Sequence[Refs]) -> list[tuple[Refs, JobState]]:
        try:
            batches = {batch.id: batch for batch in await self._bulk1.batches(job)}
        except Refused as error:
            gone = _gone(error)
            return [(refs, gone) for refs in members]
        found: list[tuple[Refs, JobState]] = []
        for refs in members:
            try:
                if "batch" not in refs:
                    found.append((refs, await self._job_state(job)))
                    continue
                batch = batches.get(refs["batch"]) or await self._bulk1.batch(job, refs["batch"])
            except Refused as error:
                found.append((refs, _gone(error)))
            else:
                found.append((refs, await self._state(job, batch)))
        return found

    async def _job_state(self, job: str) -> JobState:
        """Return the state of a job as a whole, as a person asks about it."""
        info = await self._bulk1.job(job)
        if not info.is_over:
            return Running(info.state, info.number_records_processed)
        return Over(
            word=info.state,
            processed=info.number_records_processed,
            failed=info.number_records_failed,
            aborted=info.state == "Aborted",
        )

    async def _state(self, job: str, batch: BatchInfo) -> JobState:
        # One sample of the document writes a state with a blank. §3.9
        word = batch.state.replace(" ", "")
        if word not in OVER:
            return Running(word, batch.number_records_processed)
        return Over(
            word=word,
            processed=batch.number_records_processed,
            failed=batch.number_records_failed,
            aborted=word == "NotProcessed" and await self._is_aborted(job),
            message=batch.state_message or "",
        )

    async def _is_aborted(self, job: str) -> bool:
        try:
            return (await self._bulk1.job(job)).state == "Aborted"
        except Refused as error:
            raise Unavailable("no-answer", f"cannot see whether {job} was aborted: {error}") from error


def _gone(error: Refused) -> Gone:
    """Return the state of what the vendor does not know. Raises ``Unavailable`` for any other refusal."""
    if not is_code(error, *UNKNOWN):
        raise Unavailable("no-answer", f"cannot see the state of a batch: {error}") from error
    return Gone(str(error))
