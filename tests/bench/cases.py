"""The cases of the benchmark, each with its budgets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from math import inf
from statistics import median

import msgspec
import uvloop

from tests.bench.bloom_growth import publish as publish_issues
from tests.bench.bloom_growth import run_bloom_growth
from tests.bench.contender import interpreter_version
from tests.bench.issue_creates import create_figures, measure_issue_creates
from tests.bench.journal import journal_bytes
from tests.bench.kind_runs import KindRun
from tests.bench.latency import measure_latency
from tests.bench.liquid_decisions import Write, run_liquid_decisions
from tests.bench.liquid_decisions import publish as publish_accounts
from tests.bench.outage import measure_outage
from tests.bench.report import Figure, Report, at_least, at_most, ratio_at_least, this_machine
from tests.bench.restart import measure_restart
from tests.bench.salesforce import FULL_AGE_S, MAX_AGE_S, Kind, SalesforceRun, measure_stuck, run_salesforce
from tests.bench.salesforce import publish as publish_salesforce
from tests.bench.single_calls import call_figures, measure_single_calls
from tests.bench.stage import Stage, staged
from tests.bench.throughput import Comparison, Run, compare, run_once
from tests.bench.workload import publish

CASES = (
    *("4-lanes", "4-lanes-sampled", "12-lanes", "flat", "latency", "restart", "outage"),
    *("salesforce", "salesforce-mixed", "salesforce-held", "salesforce-stuck"),
    *("single-calls", "bloom-growth", "liquid-upsert", "liquid-import"),
)
SAMPLED_EVERY = 100
CALLS: dict[Kind, int] = {"salesforce_bulk1": 600, "salesforce_bulk2": 400}
"""API calls per 1,000,000 records, at most."""
MAX_GROWTH = 1.15
"""Cost of one more record in a large backlog over that in a small one; the machine alone varies by a tenth."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The cases to run, and their sizes."""

    records: int = 1_000_000
    alternations: int = 3
    cases: Sequence[str] = CASES
    latency_seconds: float = 30.0
    outage_seconds: float = 60.0
    ten_million: bool = False
    python: str


class Bench:
    """Runs the cases of a plan, one after the other, against one Kafka."""

    def __init__(self, bootstrap_servers: str, plan: Plan, tell: Callable[[str], None]) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._plan = plan
        self._tell = tell
        self._report = Report(
            machine=this_machine(interpreter_version(plan.python)),
            records=plan.records,
            alternations=plan.alternations,
        )

    async def run(self) -> Report:
        cases: dict[str, Callable[[], Awaitable[None]]] = {
            "4-lanes": lambda: self._compare("4-lanes", 4, 0.70),
            "4-lanes-sampled": lambda: self._compare("4-lanes-sampled", 4, 0.65, sampled=True),
            "12-lanes": lambda: self._compare("12-lanes", 12, 0.70),
            "flat": self._flat,
            "latency": self._latency,
            "restart": self._restart,
            "outage": self._outage,
            "salesforce": self._salesforce,
            "salesforce-mixed": self._salesforce_mixed,
            "salesforce-held": self._salesforce_held,
            "salesforce-stuck": self._salesforce_stuck,
            "single-calls": self._single_calls,
            "bloom-growth": self._bloom_growth,
            "liquid-upsert": lambda: self._liquid_decisions("upsert"),
            "liquid-import": lambda: self._liquid_decisions("import"),
        }
        for case in self._plan.cases:
            self._tell(f"{case} …")
            await cases[case]()
        return self._report

    async def _compare(self, case: str, lanes: int, budget: float, *, sampled: bool = False) -> None:
        plan = self._plan
        sampled_every = SAMPLED_EVERY if sampled else 0
        async with self._stage(plan.records, lanes=lanes, sampled_every=sampled_every) as stage:
            found = await compare(stage, plan.records, plan.alternations, self._tell, sampled=sampled)
            journal = await journal_bytes(stage) / (plan.records * plan.alternations)
        self._report.runs += found.runs
        self._report.figures += [
            *_figures(case, found, budget),
            at_most(case, "journal, per record and before compression", journal, 20, "bytes"),
        ]

    async def _flat(self) -> None:
        """Measure one more record between backlogs that grow tenfold: a fixed cost to start does not count."""
        top = 10 * self._plan.records if self._plan.ten_million else self._plan.records
        medians: list[tuple[int, float]] = []
        for records in (self._plan.records // 100, self._plan.records // 10, *{self._plan.records, top}):
            async with self._stage(records) as stage:
                runs = [await run_once("writer", stage, records) for _ in range(self._plan.alternations)]
            self._report.runs += runs
            medians.append((records, median(run.cpu_s for run in runs)))
            self._tell(f"writer     {records:,} records: {medians[-1][1]:.2f} CPU-s")
        costs_us = [(more[1] - fewer[1]) / (more[0] - fewer[0]) * 1e6 for fewer, more in pairwise(medians)]
        for ((fewer, _), (more, _)), cost_us in zip(pairwise(medians), costs_us, strict=True):
            self._report.figures.append(
                Figure(case="flat", what=f"CPU of one more record, {fewer:,} → {more:,}", value=cost_us, unit="µs")
            )
        # CPU time comes in hundredths of a second: what a tiny input needs may be nothing at all.
        growth = costs_us[-1] / costs_us[0] if costs_us[0] > 0 else inf
        self._report.figures.append(at_most("flat", "the last over the first", growth, MAX_GROWTH))

    async def _latency(self) -> None:
        async with self._stage(0) as stage:
            found = await measure_latency(stage, self._plan.latency_seconds)
        self._report.latencies = found
        self._report.figures += [
            Figure(case="latency", what="publish to receipt, p50", value=found.p50_s * 1000, unit="ms"),
            at_most("latency", "publish to receipt, p99", found.p99_s * 1000, 600, "ms"),
        ]

    async def _restart(self) -> None:
        async with self._stage(self._plan.records) as stage:
            found = await measure_restart(stage, self._plan.records)
        self._report.restart = found
        what = f"assignment to first receipt, {found.waiting:,} waiting, {found.settled_beyond:,} of them settled"
        self._report.figures.append(at_most("restart", what, found.first_receipt_s, 5, "s"))

    async def _outage(self) -> None:
        async with self._stage(self._plan.records) as stage:
            found = await measure_outage(stage, self._plan.records, self._plan.outage_seconds)
        self._report.outage = found
        what = f"writer, peak memory in an outage of {found.seconds:g} s, {found.records:,} waiting"
        self._report.figures.append(at_most("outage", what, found.peak_rss_bytes / 2**20, 300, "MiB"))

    async def _salesforce(self) -> None:
        """Compare upserts by CSV, 10,000 a batch, with the writer to BlueConic in the same minutes."""
        records, runs = self._plan.records, list[tuple[SalesforceRun, Run]]()
        async with self._stage(records) as blueconic, self._empty_stage() as salesforce:
            await publish_salesforce(salesforce, records)
            for kind, budget in CALLS.items():
                for _ in range(self._plan.alternations):
                    other = await run_once("writer", blueconic, records)
                    runs.append((await self._run_salesforce(salesforce, kind), other))
                    self._report.runs.append(other)
                own = [run for run, _ in runs if run.kind == kind]
                ratio = median(run.records_per_cpu_s / bc.records_per_cpu_s for run, bc in runs if run.kind == kind)
                calls = median(run.api_requests for run in own) * 1_000_000 / records
                rate = median(run.records_per_cpu_s for run in own)
                self._report.figures += [
                    Figure(case="salesforce", what=f"{kind}, records per CPU-second", value=rate, unit="/CPU-s"),
                    _of_blueconic(kind, ratio),
                    at_most("salesforce", f"{kind}, API calls per 1,000,000 records", calls, budget),
                ]

    async def _salesforce_mixed(self) -> None:
        async with self._empty_stage() as stage:
            await publish_salesforce(stage, self._plan.records, objects=8)
            run = await self._run_salesforce(stage, "salesforce_bulk1", max_age_s=FULL_AGE_S)
        batches = run.batches * 1_000_000 / run.records
        self._report.figures += [
            at_most("salesforce-mixed", "batches of the daily budget per 1,000,000 records, 8 objects", batches, 110),
            Figure(case="salesforce-mixed", what="records per CPU-second", value=run.records_per_cpu_s, unit="/CPU-s"),
        ]

    async def _salesforce_held(self) -> None:
        async with self._empty_stage() as stage:
            await publish_salesforce(stage, self._plan.records)
            run = await self._run_salesforce(stage, "salesforce_bulk1", held=True)
        what = f"writer, peak memory with {run.records:,} records in vendor jobs"
        self._report.figures.append(at_most("salesforce-held", what, run.peak_rss_bytes / 2**20, 300, "MiB"))

    async def _salesforce_stuck(self) -> None:
        records = 5 * self._plan.records
        async with self._empty_stage() as stage:
            await publish_salesforce(stage, records)
            found = await measure_stuck(stage, records, "salesforce_bulk1")
        self._report.stuck = found
        growth = found.peak_rss_bytes / found.first_half_rss_bytes
        what = f"one job stuck, {records:,} records settled behind it"
        self._report.figures += [
            Figure(case="salesforce-stuck", what="writer, peak memory", value=found.peak_rss_bytes / 2**20, unit="MiB"),
            at_most("salesforce-stuck", "memory at the end over memory at half", growth, MAX_GROWTH),
            at_most("salesforce-stuck", f"{what}: restart to first receipt", found.first_receipt_s, 5, "s"),
        ]

    async def _single_calls(self) -> None:
        """Compare the client of a destination with aiohttp, on the loop that a writer has."""
        calls = max(1000, self._plan.records // 100)
        found = await asyncio.to_thread(uvloop.run, measure_single_calls(2 * self._plan.alternations + 1, calls))
        for found_round in found:
            self._tell(f"single calls  {found_round.ours:,.0f}/CPU-s  aiohttp {found_round.aiohttp:,.0f}/CPU-s")
        self._report.figures += call_figures(found)

    async def _bloom_growth(self) -> None:
        """Compare creates by the kind with others', on the loop that a writer has; then run a writer."""
        case, plan = "bloom-growth", self._plan
        calls, records = max(500, plan.records // 500), max(500, plan.records // 100)
        found = await asyncio.to_thread(uvloop.run, measure_issue_creates(2 * plan.alternations + 1, calls))
        for one in found:
            bloomy = "not measured: needs Python 3.12" if one.bloomy is None else f"{one.bloomy:,.0f}/CPU-s"
            self._tell(f"creates  {one.ours:,.0f}/CPU-s  aiohttp {one.aiohttp:,.0f}/CPU-s  bloomy-python {bloomy}")
        self._report.figures += create_figures(case, found)
        async with self._empty_stage() as stage:
            await publish_issues(stage, records)
            runs = [self._told(case, await run_bloom_growth(stage, records)) for _ in range(plan.alternations)]
        rate = median(run.records_per_cpu_s for run in runs)
        calls_per_s = median(run.calls / run.seconds for run in runs)
        share = rate / median(one.ours for one in found)
        self._report.figures += [
            Figure(case=case, what="writer, records per CPU-second", value=rate, unit="/CPU-s"),
            Figure(case=case, what="writer, calls per second", value=calls_per_s, unit="/s"),
            Figure(case=case, what="the kind's share of the writer's CPU", value=share),
        ]

    async def _liquid_decisions(self, way: Write) -> None:
        """Compare upserts, or imports that are read back, with the writer to BlueConic in the same minutes."""
        case = f"liquid-{way}"
        records, ratios, runs = self._plan.records, list[float](), list[KindRun]()
        async with self._stage(records) as blueconic, self._empty_stage() as stage:
            await publish_accounts(stage, records)
            for _ in range(self._plan.alternations):
                other = await run_once("writer", blueconic, records)
                runs.append(self._told(case, await run_liquid_decisions(stage, records, way)))
                self._report.runs.append(other)
                ratios.append(runs[-1].records_per_cpu_s / other.records_per_cpu_s)
                self._tell(f"BlueConic      {other.records_per_cpu_s:9,.0f} records/CPU-s")
        rate = median(run.records_per_cpu_s for run in runs)
        calls = median(run.calls for run in runs) * 1_000_000 / records
        peak_mib = max(run.peak_rss_bytes for run in runs) / 2**20
        self._report.figures += [
            Figure(case=case, what="records per CPU-second", value=rate, unit="/CPU-s"),
            ratio_at_least(case, f"{way} / writer to BlueConic", ratios, 0.6),
            at_most(case, "writer, peak memory", peak_mib, 300, "MiB"),
            Figure(case=case, what="calls per 1,000,000 records", value=calls),
        ]

    def _told(self, case: str, run: KindRun) -> KindRun:
        self._report.kinds.append(run)
        self._tell(f"{case}  {run}")
        return run

    async def _run_salesforce(
        self, stage: Stage, kind: Kind, *, held: bool = False, max_age_s: float = MAX_AGE_S
    ) -> SalesforceRun:
        run = await run_salesforce(stage, self._plan.records, kind, held=held, max_age_s=max_age_s)
        self._report.salesforce.append(run)
        self._tell(
            f"{kind}  {run.records_per_cpu_s:9,.0f} records/CPU-s  {run.records / run.seconds:8,.0f} records/s  "
            f"{run.peak_rss_bytes / 2**20:4.0f} MiB  {run.api_requests} calls  {run.batches} batches"
        )
        return run

    def _empty_stage(self) -> AbstractAsyncContextManager[Stage]:
        return staged(self._bootstrap_servers, lanes=4, python=self._plan.python)

    @asynccontextmanager
    async def _stage(self, records: int, *, lanes: int = 4, sampled_every: int = 0) -> AsyncIterator[Stage]:
        """Yield a stage with so many records published."""
        async with staged(self._bootstrap_servers, lanes=lanes, python=self._plan.python) as stage:
            await publish(stage, records, sampled_every=sampled_every)
            yield stage


def _of_blueconic(kind: Kind, ratio: float) -> Figure:
    """Return the ratio; the budget is that of results by row, those by identity have records encoded twice."""
    what = f"{kind} / writer to BlueConic"
    if kind == "salesforce_bulk1":
        return at_least("salesforce", what, ratio, 0.6)
    return Figure(case="salesforce", what=what, value=ratio)


def _figures(case: str, found: Comparison, budget: float) -> list[Figure]:
    def rate(what: str, runs: Sequence[Run], unit: str) -> Figure:
        rates = [run.records_per_cpu_s if unit == "/CPU-s" else run.records / run.seconds for run in runs]
        return Figure(case=case, what=what, value=median(rates), unit=unit)

    first = median(run.first_delivery_s or 0.0 for run in found.writer)
    peak_mib = max(run.peak_rss_bytes for run in found.writer) / 2**20
    reference_mib = max(run.peak_rss_bytes for run in found.reference) / 2**20
    return [
        rate("writer, records per CPU-second", found.writer, "/CPU-s"),
        rate("reference loop, records per CPU-second", found.reference, "/CPU-s"),
        at_least(case, "writer / reference loop", found.ratio, budget),
        rate("writer, records per second", found.writer, "/s"),
        rate("reference loop, records per second", found.reference, "/s"),
        at_most(case, "writer, peak memory", peak_mib, 300, "MiB"),
        Figure(case=case, what="reference loop, peak memory", value=reference_mib, unit="MiB"),
        at_most(case, "assignment to the vendor's first answer", first, 5, "s"),
    ]
