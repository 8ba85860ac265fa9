"""One run of a contender over the whole input, and writer and reference loop in turn."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

import msgspec

from tests.bench.contender import Contender, Name, Usage, logged_at, reference_command, running, writer_command
from tests.bench.receipts import Delivered, count_receipts
from tests.bench.stage import Stage
from tests.bench.vendor import served
from tests.bench.workload import rewind

_POLL_S = 0.1
_STALLED_AFTER_S = 180.0
"""A vendor job of 50,000 records takes a minute on a busy machine."""


class Run(Delivered, kw_only=True):
    """Time and memory that one contender needed for the whole input."""

    contender: Name
    lanes: int
    cpu_s: float
    """User and system time of its own, from its first log line, after the imports, to the last commit."""
    seconds: float
    """The same by the clock."""
    start_up_cpu_s: float
    peak_rss_bytes: int
    first_delivery_s: float | None = None
    """From the assignment of the lanes to the vendor's first answer, with all records waiting."""

    @property
    def records_per_cpu_s(self) -> float:
        return self.records / self.cpu_s


class Comparison(msgspec.Struct, kw_only=True):
    """Runs of both in turn. The machine's speed changes within minutes, so each is compared with its neighbour."""

    writer: list[Run]
    reference: list[Run]

    @property
    def runs(self) -> list[Run]:
        return [run for pair in zip(self.writer, self.reference, strict=True) for run in pair]

    @property
    def ratio(self) -> float:
        """Records per CPU-second, writer over reference: the median of the pairs."""
        pairs = zip(self.writer, self.reference, strict=True)
        return median(writer.records_per_cpu_s / reference.records_per_cpu_s for writer, reference in pairs)


async def compare(
    stage: Stage, records: int, alternations: int, tell: Callable[[str], None], *, sampled: bool = False
) -> Comparison:
    """Run both over the published input ``alternations`` times."""
    runs: dict[Name, list[Run]] = {"writer": [], "reference": []}
    for number in range(alternations):
        # The second may find the machine warmer, so they take turns.
        names: list[Name] = ["writer", "reference"] if number % 2 == 0 else ["reference", "writer"]
        for name in names:
            run = await run_once(name, stage, records, sampled=sampled)
            runs[name].append(run)
            tell(
                f"{name:9} {stage.lanes:2} lanes  {run.records_per_cpu_s:9,.0f} records/CPU-s  "
                f"{records / run.seconds:8,.0f} records/s  {run.peak_rss_bytes / 2**20:4.0f} MiB  "
                f"{run.receipts.records:,} receipts"
            )
    return Comparison(writer=runs["writer"], reference=runs["reference"])


async def run_once(name: Name, stage: Stage, records: int, *, sampled: bool = False) -> Run:
    """Rewind, run ``name`` until every record is committed, count the receipts."""
    await rewind(stage)
    with ExitStack() as sandboxes:
        vendor = sandboxes.enter_context(stage.vendor())
        if name == "reference":
            return await _measured(name, reference_command(stage, vendor), stage.reference_group, stage, records)
        collector = sandboxes.enter_context(served("otlp", python=stage.python)) if sampled else None
        settings = stage.settings_file(vendor, otlp_endpoint=collector.url if collector else None)
        return await _measured(name, writer_command(stage, settings), stage.writer_group, stage, records)


async def _measured(name: Name, command: list[str], group_id: str, stage: Stage, records: int) -> Run:
    async with running(command) as contender:
        end = await committed(contender, stage, group_id, records)
        peak_rss_bytes = contender.peak_rss_bytes()
    return Run(
        contender=name,
        lanes=stage.lanes,
        records=records,
        receipts=await count_receipts(stage),
        cpu_s=end.cpu_s - contender.start.cpu_s,
        seconds=end.at_s - contender.start.at_s,
        start_up_cpu_s=contender.start.cpu_s,
        peak_rss_bytes=peak_rss_bytes,
        first_delivery_s=_first_delivery_s(contender),
    )


async def committed(contender: Contender, stage: Stage, group_id: str, records: int) -> Usage:
    """Wait until ``records`` are committed, and return the usage by then. Raises RuntimeError at a standstill."""
    done, moved_at_s = -1, contender.start.at_s
    while True:
        contender.check_alive()
        position = await stage.committed(group_id)
        usage = contender.usage()
        if position >= records:
            return usage
        if position > done:
            done, moved_at_s = position, usage.at_s
        elif usage.at_s > moved_at_s + _STALLED_AFTER_S:
            raise RuntimeError(f"{group_id} stands at {done} of {records} records for {_STALLED_AFTER_S:.0f} s")
        await asyncio.sleep(_POLL_S)


def _first_delivery_s(contender: Contender) -> float | None:
    assigned, delivered = next(contender.logged("lanes assigned"), None), next(contender.logged("batch settled"), None)
    return None if assigned is None or delivered is None else logged_at(delivered) - logged_at(assigned)
