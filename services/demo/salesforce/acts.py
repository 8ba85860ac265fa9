"""The acts of the story, in their order.

1. Clubs and colleges are upserted as accounts: players refer to them.
2. Players are upserted as contacts. Salesforce lets the jobs wait; meanwhile all writers are replaced, one by one.
3. Ballots are inserted as tasks. An answer is lost, and then no question about a job is answered for a while.
"""

import asyncio
import time

from demo.crew import Crew
from demo.live_view import LiveView
from demo.processes import DESTINATION, run_sluice
from demo.progress import Progress
from demo.salesforce.bad_records import bad_records
from demo.salesforce.baseball import CORRECTIONS, Baseball
from demo.salesforce.bulk_api import BulkApi
from demo.story import Stage
from demo.upstream import File, Upstream
from sandbox.faults.fault import DropAfter, Outage
from sandbox.salesforce.control import SalesforceControl
from sandbox.salesforce.faults import HoldJobs, SlowJob

_PHASE_S = 2.0
"""The time that Salesforce takes for each phase of a batch of ballots."""
_LOOKS, _LOOK_S = 50, 0.1
"""Looks for jobs that are not closed yet, and the seconds between them."""
_RESTARTING_S, _BALLOTS_S = 4.0, 2.0
"""The times over which changes and ballots are published."""


class Acts:
    """The acts of one run."""

    def __init__(self, stage: Stage, vendor: SalesforceControl, progress: Progress, view: LiveView, crew: Crew) -> None:
        self._stage = stage
        self._vendor = vendor
        self._progress = progress
        self._view = view
        self._crew = crew

    async def accounts(self, file: File) -> None:
        """Have the accounts delivered by two writers."""
        screen, progress = self._stage.screen, self._progress
        screen.step("Clubs and colleges become accounts")
        screen.print(f"{file.name} has {len(file.rows):,} of them, and in the middle a row that has lost its key")
        await self._crew.publish_file(file)
        screen.command(f"python -m sluice.writer --destination {DESTINATION}   # twice: they share the lanes")
        await self._crew.start_writers(2)
        with self._view.shown():
            await progress.until(lambda _: progress.receipts["Account"] == len(file.rows), "the receipts of accounts")
        self._view.event(f"all {len(file.rows):,} accounts have their receipt")

    async def contacts(self, baseball: Baseball) -> None:
        """Have the contacts delivered, while all writers are replaced in the middle of their jobs."""
        screen, progress, view, file = self._stage.screen, self._progress, self._view, baseball.contacts
        screen.step("Players become contacts, and both writers are replaced while their jobs run")
        await self._vendor.add_fault(HoldJobs(times=None))
        screen.print(
            f"{file.name} has {len(file.rows):,} players, each with the external id of his club; Salesforce is busy: "
            "whatever it gets from now on waits"
        )
        await self._crew.publish_file(file)
        bad = bad_records()
        upstream = Upstream(baseball.corrections, bad, "corrections")
        progress.upstreams.append(upstream)
        with view.shown():
            await progress.until(lambda now: now.at_vendor >= len(file.rows), "all contacts to be with the vendor")
        view.event(f"Salesforce has all of them, in {len(progress.figures.vendor_jobs or {})} jobs, and runs none")
        await run_sluice(screen, self._stage.environment.directory, f"vendor-jobs ls {DESTINATION}")
        with view.shown():
            await upstream.publish(self._stage.environment, over_s=_RESTARTING_S)
            view.event(
                f"{CORRECTIONS} corrections of the same players came in: "
                f"{progress.figures.waiting_for_their_key} wait until the older change is done; and a careless system "
                f"sent {len(bad)} bad records"
            )
            for writer in list(progress.writers):
                code = await self._crew.dismiss(writer)
                view.event(f"a writer is told to stop, and ends with exit code {code}; its jobs stay where they are")
                await self._crew.start_writers(1)
                await progress.until(lambda now: now.at_vendor >= len(file.rows), "the jobs to be followed again")
                jobs = len(progress.figures.vendor_jobs or {})
                view.event(f"a new one is there; {jobs} jobs with {progress.figures.at_vendor:,} records are followed")
            await self._vendor.clear_faults()
            released = await self._vendor.release_jobs()
            view.event(f"[green]Salesforce goes on[/] with the {released} jobs that it has had all the time")
            await progress.until(lambda now: now.receipts == progress.published, "the receipts of contacts")
            view.event("all players have their receipt, and the corrections came after them")

    async def ballots(self, baseball: Baseball, api: BulkApi, outage_s: float) -> None:
        """Have the ballots inserted, while an answer is lost and then no question is answered."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("Ballots become tasks: inserts without a key, which must not be there twice")
        await progress.until(lambda now: not now.vendor_jobs, "all jobs to be over")
        await self._all_closed()  # or the answer that is lost might be that of a close
        await self._vendor.add_fault(SlowJob(phase_s=_PHASE_S, times=None))
        await self._vendor.add_fault(DropAfter(path=api.path, method=api.start_method))
        upstream = Upstream(baseball.ballots, [], "ballots")
        screen.print(
            f"{upstream.total:,} ballots name their player as `Contact:Who.Ext__c`. Salesforce gets the first batch, "
            "and its answer never arrives"
        )
        async with self._crew.publishing(upstream, over_s=_BALLOTS_S) as publishing:
            with view.shown():
                before = progress.figures.receipts
                await progress.until(lambda now: now.at_vendor > 0, "a job with ballots")
                down_at_s = time.monotonic()
                await self._vendor.add_fault(Outage(path=api.path, method="GET", seconds=outage_s, status=503))
                view.event(f"[red]Salesforce answers no question[/] for {outage_s:g} s: each one is answered with 503")
                await progress.until(lambda now: now.receipts > before, "the first receipts of ballots")
                after_s = time.monotonic() - down_at_s
                view.event(f"[green]the first results are there[/], {after_s:.1f} s later; nothing was sent again")
                await publishing
                await progress.until(lambda now: now.receipts == progress.published, "the receipts of ballots")
        view.event(f"all {upstream.total:,} ballots have their receipt")

    async def _all_closed(self) -> None:
        """Wait until the writers have closed the jobs that they have made, but not for ever."""
        for _ in range(_LOOKS):
            if all(job.state != "Open" for job in await self._vendor.jobs()):
                return
            await asyncio.sleep(_LOOK_S)
