"""The story of Salesforce, in three acts: accounts, contacts through a rolling restart, inserts whose answer is lost.

1. Clubs and colleges are upserted as accounts: players refer to them.
2. Players are upserted as contacts. Salesforce lets the jobs wait; meanwhile all writers are replaced, one by one.
3. Ballots are inserted as tasks. An answer is lost, and then no question about a job is answered for a while.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from demo.environment import Environment
from demo.evidence import Evidence, Holding
from demo.live_view import LiveView
from demo.processes import DESTINATION, Sandbox
from demo.progress import Progress
from demo.salesforce.bad_records import bad_records
from demo.salesforce.baseball import CORRECTIONS, Baseball
from demo.salesforce.bulk_api import BULK_APIS
from demo.salesforce.job_evidence import print_jobs
from demo.salesforce.org_query import count_records
from demo.screen import Screen
from demo.story import Stage
from demo.upstream import File, Upstream, publish_file
from sandbox.control import SandboxControl
from sandbox.faults.fault import DropAfter, Outage
from sandbox.salesforce.control import SalesforceControl
from sandbox.salesforce.faults import HoldJobs, SlowJob
from sluice import Receipt, Succeeded

_OBJECTS = ("Account", "Contact", "Task")
_SUBJECT = "Subject"
"""The field by which the stand-in tells whether a task was inserted twice."""
_PHASE_S = 2.0
"""The time that Salesforce takes for each phase of a batch of ballots."""
_RESTARTING_S, _BALLOTS_S = 4.0, 2.0
"""The times over which changes and ballots are published."""


class BaseballStory:
    """One run of it."""

    sandbox: Sequence[str] = ("salesforce", "--identifier-field", _SUBJECT)
    effects: Mapping[str, str] = {"Created": "CREATED", "Success": "UPDATED"}
    explanations: Mapping[str, str] = {
        "Account Created": "clubs and colleges",
        "Contact Created": "players",
        "Contact Success": "corrections of players",
        "Task Created": "ballots, inserted",
    }

    def __init__(self, players: int | None, *, outage_s: float, api: str) -> None:
        """``api`` is the version of the Bulk API."""
        self._baseball = Baseball(players)
        self._outage_s = outage_s
        self._api = BULK_APIS[api]
        self._vendor = Sandbox()
        self.title = (
            f"Sluice carries {len(self._baseball.contacts.rows):,} baseball players, their clubs and the ballots of "
            f"the Hall of Fame through Kafka into Salesforce's Bulk API {api}."
        )

    async def set_up(self, screen: Screen, vendor: Sandbox, _control: SandboxControl) -> None:
        """Print what it is, and remember how to ask it."""
        self._vendor = vendor
        screen.print(f"the vendor, a strict stand-in for an org of Salesforce, answers at {vendor.url}")

    def destination(self, vendor: Sandbox) -> dict[str, object]:
        """Return the destination's entry in the settings file."""
        return self._api.destination(vendor)

    async def tell(self, stage: Stage) -> int:
        """Tell the acts."""
        view = LiveView(stage.screen)
        async with (
            SalesforceControl(stage.environment.vendor_url) as vendor,
            Progress(stage.environment, view) as progress,
        ):
            acts = _Acts(stage, vendor, progress, view)
            await acts.accounts(self._baseball.accounts)
            await acts.contacts(self._baseball)
            await acts.ballots(self._baseball, self._api.start_method, self._api.path, self._outage_s)
            if not stage.keep:
                codes = [await writer.stop() for writer in progress.writers]
                view.event(f"nothing is left to do; the writers are told to stop, and end with exit codes {codes}")
            return progress.published

    async def holdings(self, environment: Environment, receipts: Sequence[Receipt]) -> Sequence[Holding]:
        """Return how many records of each object the org has."""
        records = (await environment.vendor.state())["records"]
        has = records if isinstance(records, dict) else {}
        created = Counter(
            receipt.event.object
            for receipt in receipts
            if isinstance(receipt, Succeeded) and receipt.event.status == "Created"
        )
        by_object = [Holding(f"records of {name}", has.get(name, 0), created[name]) for name in _OBJECTS]
        corrected = await count_records(self._vendor, "SELECT COUNT() FROM Contact WHERE Title LIKE '%, checked'")
        return [
            *by_object,
            Holding("contacts as they were corrected", corrected, CORRECTIONS, "each published later than the player"),
        ]

    async def print_batches(self, screen: Screen, environment: Environment, evidence: Evidence) -> None:
        """Print the jobs, what became of them over the restart, and what they took of the day's budgets."""
        async with SalesforceControl(environment.vendor_url) as vendor:
            print_jobs(screen, evidence, await vendor.used(), await vendor.calls())

    def commands_to_try(self, sluice: str, environment: Environment) -> Mapping[str, str]:
        """Return commands that publish a player, hold a job, and show the vendor's jobs."""
        row = "printf 'Ext__c,LastName\\nme,Myself\\n'"
        url = environment.vendor_url
        return {
            f"{row} | {sluice} publish crm - --object Contact --key Ext__c": "one more player",
            f"""curl -d '{{"kind": "hold_jobs"}}' {url}/_sandbox/faults""": "let the next job wait, publish again",
            f"curl {url}/_sandbox/jobs": "the jobs that Salesforce has",
            f"curl -X POST {url}/_sandbox/jobs/release": "let waiting jobs run",
            f"tail -f {environment.directory}/writer-*.log": "the writers' logs: a line for each job's begin and end",
        }


class _Acts:
    """The acts of one run."""

    def __init__(self, stage: Stage, vendor: SalesforceControl, progress: Progress, view: LiveView) -> None:
        self._stage = stage
        self._vendor = vendor
        self._progress = progress
        self._view = view
        self._started = 0

    async def accounts(self, file: File) -> None:
        """Have the accounts delivered by two writers."""
        screen, progress = self._stage.screen, self._progress
        screen.step("Clubs and colleges become accounts")
        screen.print(f"{file.name} has {len(file.rows):,} of them, and in the middle a row that has lost its key")
        await self._publish(file)
        screen.command(f"python -m sluice.writer --destination {DESTINATION}   # twice: they share the lanes")
        for _ in range(2):
            await self._start_writer()
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
        await self._publish(file)
        bad = bad_records()
        upstream = Upstream(baseball.corrections, bad, "corrections")
        with view.shown():
            await progress.until(lambda now: now.at_vendor >= len(file.rows), "all contacts to be with the vendor")
            view.event(f"Salesforce has all of them, in {len(progress.figures.vendor_jobs or {})} jobs, and runs none")
            await upstream.publish(self._stage.environment, over_s=_RESTARTING_S)
            progress.published += upstream.published
            view.event(
                f"{CORRECTIONS} corrections of the same players came in: "
                f"{progress.figures.waiting_for_their_key} wait until the older change is done; and a careless system "
                f"sent {len(bad)} bad records"
            )
            for writer in list(progress.writers):
                progress.writers.remove(writer)
                code = await writer.stop()
                view.event(f"a writer is told to stop, and ends with exit code {code}; its jobs stay where they are")
                await self._start_writer()
                await progress.until(lambda now: now.at_vendor >= len(file.rows), "the jobs to be followed again")
                jobs = len(progress.figures.vendor_jobs or {})
                view.event(f"a new one is there; {jobs} jobs with {progress.figures.at_vendor:,} records are followed")
            await self._vendor.clear_faults()
            released = await self._vendor.release_jobs()
            view.event(f"[green]Salesforce goes on[/] with the {released} jobs that it has had all the time")
            expected = progress.published
            await progress.until(lambda now: now.receipts == expected, "the receipts of contacts")
            view.event("all players have their receipt, and the corrections came after them")

    async def ballots(self, baseball: Baseball, start_method: str, path: str, outage_s: float) -> None:
        """Have the ballots inserted, while an answer is lost and then no question is answered."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("Ballots become tasks: inserts without a key, which must not be there twice")
        await progress.until(lambda now: not now.vendor_jobs, "all jobs to be over")
        await self._vendor.add_fault(SlowJob(phase_s=_PHASE_S, times=None))
        await self._vendor.add_fault(DropAfter(path=path, method=start_method))
        upstream = Upstream(baseball.ballots, [], "ballots")
        screen.print(
            f"{upstream.total:,} ballots name their player as `Contact:Who.Ext__c`. Salesforce gets the first batch, "
            "and its answer never arrives"
        )
        publishing = asyncio.create_task(upstream.publish(self._stage.environment, over_s=_BALLOTS_S))
        try:
            with view.shown():
                before, expected = progress.figures.receipts, progress.published + upstream.total
                await progress.until(lambda now: now.at_vendor > 0, "a job with ballots")
                down_at_s = time.monotonic()
                await self._vendor.add_fault(Outage(path=path, method="GET", seconds=outage_s, status=503))
                view.event(f"[red]Salesforce answers no question[/] for {outage_s:g} s: each one is answered with 503")
                await progress.until(lambda now: now.receipts > before, "the first receipts of ballots")
                after_s = time.monotonic() - down_at_s
                view.event(f"[green]the first results are there[/], {after_s:.1f} s later; nothing was sent again")
                await publishing
                progress.published += upstream.published
                await progress.until(lambda now: now.receipts == expected, "the receipts of ballots")
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
        view.event(f"all {upstream.total:,} ballots have their receipt")

    async def _publish(self, file: File) -> None:
        await publish_file(self._stage.screen, self._stage.environment.directory, file)
        self._progress.published += len(file.rows)

    async def _start_writer(self) -> None:
        self._started += 1
        self._progress.writers.append(await self._stage.writers.start(f"writer-{self._started}"))
