"""The figures beside their budgets, which docs/architecture.md explains, as a table and as JSON."""

import os
import platform
from collections.abc import Sequence
from statistics import median

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.kind_runs import KindRun
from tests.bench.latency import Latencies
from tests.bench.outage import Outage
from tests.bench.receipts import Delivered
from tests.bench.restart import Restart
from tests.bench.salesforce import SalesforceRun, Stuck
from tests.bench.throughput import Run


class Figure(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of the table. ``met`` is ``None`` where there is no budget."""

    case: str
    what: str
    value: float
    unit: str = ""
    budget: str = ""
    met: bool | None = None


def at_least(case: str, what: str, value: float, bound: float) -> Figure:
    return Figure(case=case, what=what, value=value, budget=f"≥ {bound:g}", met=value >= bound)


def at_most(case: str, what: str, value: float, bound: float, unit: str = "") -> Figure:
    return Figure(
        case=case, what=what, value=value, unit=unit, budget=f"≤ {bound:g} {unit}".strip(), met=value <= bound
    )


def ratio_at_least(case: str, what: str, ratios: Sequence[float], bound: float) -> Figure:
    """Return the median of ``ratios``, which vary with the machine, with their range."""
    return at_least(case, f"{what}, from {min(ratios):.2f} to {max(ratios):.2f}", median(ratios), bound)


class Machine(msgspec.Struct, kw_only=True):
    """The machine that the figures were measured on."""

    cores: int
    memory_gib: float
    python: str
    system: str


def this_machine(python_version: str) -> Machine:
    return Machine(
        cores=os.cpu_count() or 0,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        python=python_version,
        system=f"{platform.system()} {platform.machine()}",
    )


class Report(msgspec.Struct, kw_only=True):
    """Everything that was measured."""

    machine: Machine
    records: int
    alternations: int
    figures: list[Figure] = []
    runs: list[Run] = []
    latencies: Latencies | None = None
    restart: Restart | None = None
    outage: Outage | None = None
    salesforce: list[SalesforceRun] = []
    stuck: Stuck | None = None
    kinds: list[KindRun] = []

    @property
    def complete(self) -> bool:
        """True if every record of every run has exactly one receipt."""
        measured: Sequence[Delivered | Latencies | None]
        measured = [*self.runs, self.latencies, self.restart, self.outage, *self.salesforce, self.stuck, *self.kinds]
        return all(one.complete for one in measured if one is not None)


def show(report: Report, console: Console) -> None:
    machine = report.machine
    table = Table(
        "case",
        "figure",
        title=f"{report.records:,} records, {report.alternations} alternations · Python {machine.python} · "
        f"{machine.cores} cores · {machine.memory_gib:g} GiB · {machine.system}",
        title_justify="left",
    )
    table.add_column("measured", justify="right")
    table.add_column("budget", justify="right")
    table.add_column("")
    case = ""
    for figure in report.figures:
        if case and figure.case != case:
            table.add_section()
        name, case = ("" if figure.case == case else figure.case), figure.case
        mark = "" if figure.met is None else "[green]✓[/]" if figure.met else "[red]✗[/]"
        table.add_row(name, figure.what, _shown(figure), figure.budget, mark)
    console.print(table)
    receipts = sum(run.receipts.total for run in report.runs)
    if report.complete:
        console.print(f"every record of every run has exactly one receipt ({receipts:,} in the throughput runs)")
    else:
        console.print("[red]records without a receipt, or with two: see `receipts` in the JSON[/]")


def _shown(figure: Figure) -> str:
    value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.2f}"
    return f"{value} {figure.unit}".strip()
