"""Runs of the writer to Liquid Decisions, by upserts and by imports, beside runs to BlueConic: records per CPU-second.

.venv/bin/python -m tests.bench.liquid_decisions 200000
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Literal

import click

from sluice.kafka.sending import Message
from tests.bench.contender import running, writer_command
from tests.bench.receipts import count_receipts
from tests.bench.stage import DESTINATION, Stage, kafka, staged
from tests.bench.throughput import committed, run_once
from tests.bench.vendor import Served, served
from tests.bench.workload import SPREAD, publish, rewind, write

Road = Literal["upsert", "import"]
ALTERNATIONS = 3
BUDGET = 0.6
"""Of BlueConic's records per CPU-second."""
_SLICE = 1000
_VALUE = (
    b'{"event_id":"%032x","object":"Account","operation":"upsert","key":"company-%08d","data":{"name":"Company '
    b'%016x of Rotterdam","city":"Rotterdam","country":"NL","employees":%d,"active":true,"updated":"2026-03-01"},'
    b'"occurred_at":"2026-03-01T10:00:00Z"}'
)


def message(number: int) -> Message:
    """Return a record of 300 bytes, as BlueConic's are."""
    id_ = (number + 1) * SPREAD % 2**128
    value = _VALUE % (id_, number, id_ % 2**64, 10_000 + number % 90_000)
    return Message(b"company-%08d" % number, value, [])


async def run_liquid(stage: Stage, records: int, road: Road) -> float:
    """Run the writer over the published input; return its records per CPU-second."""
    await rewind(stage)
    with _vendor(stage) as vendor:
        async with running(writer_command(stage, _settings(stage, vendor, road))) as writer:
            end = await committed(writer, stage, stage.writer_group, records)
            rate = records / (end.cpu_s - writer.start.cpu_s)
            seconds, peak_mib = end.at_s - writer.start.at_s, writer.peak_rss_bytes() / 2**20
    receipts = await count_receipts(stage)
    assert receipts.records == records, receipts
    click.echo(f"{road:10} {rate:9,.0f} records/CPU-s {records / seconds:9,.0f} records/s {peak_mib:4.0f} MiB")
    return rate


@contextmanager
def _vendor(stage: Stage) -> Iterator[Served]:
    with served("liquid-decisions", "--ledger", "counts", python=stage.python) as vendor:
        yield vendor


def _settings(stage: Stage, vendor: Served, road: Road) -> Path:
    to = {
        "kind": "liquid_decisions",
        "url": vendor.url,
        **{name: vendor.credentials[name] for name in ("username", "password", "community")},
        "types": {"Account": {"key_fields": ["accountId"], "write": road}},
    }
    path = stage.settings_file(vendor)
    settings = json.loads(path.read_text(encoding="utf-8"))
    # What a writer costs while it waits for the vendor is not what is measured.
    settings["destinations"][DESTINATION] = {"to": to, "delivery": {"poll_base_s": 0.2, "poll_cap_s": 1.0}}
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path


async def main(records: int) -> None:
    """Run all in turn: the machine's speed changes within minutes."""
    ratios: dict[Road, list[float]] = {"upsert": [], "import": []}
    with kafka() as servers:
        async with staged(servers, lanes=4) as blueconic, staged(servers, lanes=4) as liquid:
            await publish(blueconic, records)
            slices = (range(first, min(first + _SLICE, records)) for first in range(0, records, _SLICE))
            batches = ([message(number) for number in numbers] for numbers in slices)
            await write(liquid, liquid.topics.records, batches, compression="lz4")
            for _ in range(ALTERNATIONS):
                run = await run_once("writer", blueconic, records)
                click.echo(f"blueconic  {run.records_per_cpu_s:9,.0f} records/CPU-s")
                for road, found in ratios.items():
                    found.append(await run_liquid(liquid, records, road) / run.records_per_cpu_s)
    for road, found in ratios.items():
        click.echo(f"{road}: {median(found):.2f} of BlueConic's; the budget is {BUDGET}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
