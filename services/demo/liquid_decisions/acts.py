"""The acts of the story, in their order.

1. Accounts and products are upserted, 500 a call. Liquid Decisions is down for a while.
2. Orders are imported as jobs, which tell nothing of single records: each is read back. Liquid Decisions lets the jobs
   wait; meanwhile all writers are replaced, one by one.
3. The answer to an import is lost. The job has no name that could be asked for, so its effect is looked for.
4. A person cancels an import. Its records are not sent again, until a person says so.
"""

from demo.crew import Crew
from demo.liquid_decisions.bad_records import bad_records
from demo.liquid_decisions.shop import CANCELED_DAY, LOST_DAY, Shop
from demo.live_view import LiveView
from demo.processes import DESTINATION, run_sluice
from demo.progress import Progress
from demo.story import Stage
from demo.upstream import File, Upstream
from sandbox.faults.fault import DropAfter, Latency, Outage
from sandbox.liquid_decisions.control import LiquidControl
from sandbox.liquid_decisions.faults import HoldJobs

_API = "/ls/api"
_UPSERT_S = 0.4
"""The time that Liquid Decisions takes for an upsert, long enough to go down in the middle of them."""
_PRODUCTS_S = 2.0
"""The time over which the products are published, beside the outage."""


class Acts:
    """The acts of one run."""

    def __init__(self, stage: Stage, vendor: LiquidControl, progress: Progress, view: LiveView, crew: Crew) -> None:
        self._stage = stage
        self._vendor = vendor
        self._progress = progress
        self._view = view
        self._crew = crew

    async def upserts(self, shop: Shop, outage_s: float) -> None:
        """Have accounts and products upserted, through an outage."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("Customers and products, by upsert, through an outage")
        file, bad = shop.accounts, bad_records()
        screen.print(f"{file.name} has {len(file.rows):,} customers, and in the middle a row that has lost its key")
        await self._crew.publish_file(file)
        await self._vendor.add_fault(Latency(seconds=_UPSERT_S, times=None, path=f"{_API}/items/upsert"))
        screen.command(f"python -m sluice.writer --destination {DESTINATION}   # twice: they share the lanes")
        await self._crew.start_writers(2)
        upstream = Upstream(shop.products, bad, "products")
        view.event(f"one system publishes {len(shop.products)} products, a careless one {len(bad)} bad records")
        async with self._crew.publishing(upstream, over_s=_PRODUCTS_S + outage_s) as publishing:
            with view.shown():
                await progress.until(lambda _: progress.receipts["Product"] > 0, "the first receipts of products")
                await self._crew.outage(
                    self._vendor, "Liquid Decisions", Outage(path=_API, seconds=outage_s, status=503)
                )
                await publishing
                await self._all_have_receipts()
        view.event(f"all {progress.published:,} records have their receipt")
        await self._vendor.clear_faults()

    async def imports(self, file: File) -> None:
        """Have the orders imported, while all writers are replaced in the middle of their jobs."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("Orders, as import jobs, and both writers are replaced while the jobs run")
        await self._vendor.add_fault(HoldJobs(times=None))
        screen.print(f"{file.name} has {len(file.rows):,} orders; Liquid Decisions is busy: each job waits")
        await self._crew.publish_file(file)
        with view.shown():
            await progress.until(lambda now: now.at_vendor >= len(file.rows), "all orders to be with the vendor")
        view.event(
            f"Liquid Decisions has all of them, in {len(progress.figures.vendor_jobs or {})} jobs, and runs none"
        )
        await self._list_jobs()
        with view.shown():
            for writer in list(progress.writers):
                code = await self._crew.dismiss(writer)
                view.event(f"a writer is told to stop, and ends with exit code {code}; its jobs stay where they are")
                await self._crew.start_writers(1)
                await progress.until(lambda now: now.at_vendor >= len(file.rows), "the jobs to be followed again")
                view.event(f"a new one is there; {progress.figures.at_vendor:,} orders in jobs are followed")
            await self._vendor.clear_faults()
            released = await self._vendor.release_jobs()
            view.event(f"[green]Liquid Decisions goes on[/] with the {released} jobs that it has had all the time")
            await self._all_have_receipts()
        view.event(f"all {len(file.rows):,} orders are read back, one by one, and have their receipt")

    async def lost(self, file: File) -> None:
        """Have orders imported by a job whose answer is lost."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("The answer to an import is lost")
        screen.print(
            f"{len(file.rows)} orders of {LOST_DAY}. The answer to the first import never arrives: its job will run, "
            "but nobody learns its name, and no call lists jobs. So its effect is looked for, and nothing is sent again"
        )
        await self._vendor.add_fault(DropAfter(method="POST", path=f"{_API}/batch/import"))
        await self._vendor.add_fault(HoldJobs(times=None))
        await self._crew.publish_file(file)
        with view.shown():
            await progress.until(lambda now: now.at_vendor >= len(file.rows), "the orders to be with the vendor")
        view.event("Liquid Decisions has all of them; of one job only the journal knows that it may be there: `lost`")
        await self._list_jobs()
        with view.shown():
            await self._vendor.clear_faults()
            await self._vendor.release_jobs()
            view.event("[green]Liquid Decisions runs the job[/] that nobody can ask for")
            await self._all_have_receipts()
        view.event(f"its effect is seen on all {len(file.rows)} orders, and they have their receipt")

    async def canceled(self, file: File) -> None:
        """Have an import canceled at the vendor, and its records redriven."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("A person cancels an import at Liquid Decisions")
        screen.print(
            f"{len(file.rows)} orders of {CANCELED_DAY}: what somebody has stopped is not sent again by itself"
        )
        await self._vendor.add_fault(HoldJobs(times=None))
        await self._crew.publish_file(file)
        with view.shown():
            await progress.until(lambda now: now.at_vendor >= len(file.rows), "the orders to be with the vendor")
            held = [job for job in await self._vendor.jobs() if job.is_held]
            for job in held:
                await self._vendor.cancel_job(job.job_id)
            await self._vendor.clear_faults()
            await self._vendor.release_jobs()
            view.event(f"[red]a person has canceled[/] the {len(held)} jobs at Liquid Decisions, before they ran")
            await self._all_have_receipts()
        view.event(f"{len(file.rows)} dead letters, of class `cancelled`; a person looks at them, and has them sent")
        directory = self._stage.environment.directory
        await run_sluice(screen, directory, f"dead count {DESTINATION} --class cancelled")
        await run_sluice(screen, directory, f"dead redrive {DESTINATION} --class cancelled --yes")
        progress.by_commands += len(file.rows)
        with view.shown():
            await self._all_have_receipts()
        view.event("all of them are there now, and have their second receipt")

    async def _all_have_receipts(self) -> None:
        progress = self._progress
        await progress.until(lambda now: now.receipts == progress.published, "the receipts of all records")

    async def _list_jobs(self) -> None:
        await run_sluice(self._stage.screen, self._stage.environment.directory, f"vendor-jobs ls {DESTINATION}")
