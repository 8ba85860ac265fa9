"""``python -m tests.bench.dead_letters``: how long `sluice dead count` takes with a million dead letters (issue 4)."""

import asyncio
import logging
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
import psutil

from sluice.events import Place
from sluice.flow.outcome import Fate
from sluice.kafka.sending import Message
from sluice.writer.lanes.receipt_messages import Failure, Received, dead_letter
from tests.bench.stage import DESTINATION, Stage, kafka, staged
from tests.bench.vendor import ENVIRON, Served
from tests.bench.workload import message, write

BUDGET_S = 30.0
_SLICE = 1000
_NOW = datetime.now(UTC)
_REASONS = 7, 2, 1
"""Shares of the three reasons, in tenths."""


@click.command()
@click.option("--letters", default=1_000_000, show_default=True)
@click.option("--lanes", default=12, show_default=True)
def main(letters: int, lanes: int) -> None:
    """Write dead letters of three reasons, whose messages all differ, and have the command count them."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with kafka() as bootstrap_servers:
        seconds, peak_bytes, groups = asyncio.run(_measure(bootstrap_servers, letters, lanes))
    counted = sum(group["letters"] for group in groups)
    for group in groups:
        click.echo(f"{group['letters']:>9,}  {group['code']:<14} {group['message']}")
    click.echo(
        f"{counted:,} dead letters counted by reason in {seconds:.1f} s (budget {BUDGET_S:g} s), "
        f"the command's start included; peak memory {peak_bytes / 2**20:.0f} MiB"
    )
    sys.exit(0 if counted == letters else 1)


async def _measure(servers: str, letters: int, lanes: int) -> tuple[float, int, list[dict[str, Any]]]:
    nowhere = Served("http://localhost:1", 0, {"client_id": "me", "client_secret": "secret"})
    async with staged(servers, lanes=lanes) as stage:
        batches = (
            [_letter(stage, number) for number in range(first, min(first + _SLICE, letters))]
            for first in range(0, letters, _SLICE)
        )
        await write(stage, stage.topics.dead_letters, batches, compression="snappy")
        return await asyncio.to_thread(_count, stage.settings_file(nowhere))


def _letter(stage: Stage, number: int) -> Message:
    key, value, headers = message(number, sampled_every=100)
    source = Place(topic=stage.topics.records, partition=number // _SLICE % stage.lanes, offset=number)
    return dead_letter(Received(key, value, headers, source, 1), _failure(number), f"b-{number // 1000}", _NOW)


def _failure(number: int) -> Failure:
    if number % 10 < _REASONS[0]:
        return Failure(Fate.REJECTED, "UNKNOWN_FIELD", f'field "nmae" of record company-{number} is unknown', 200)
    if number % 10 < _REASONS[0] + _REASONS[1]:
        return Failure(Fate.REJECTED, "INVALID_EMAIL", f"no @ in 'joe.{number:x}'", 200)
    return Failure(Fate.AMBIGUOUS, "lost-answer", f"no answer within {number} ms")


def _count(settings: Path) -> tuple[float, int, list[dict[str, Any]]]:
    """Return seconds, peak memory in bytes, and the reasons that the command prints."""
    began_at_s = time.monotonic()
    process = psutil.Popen(
        [sys.executable, "-m", "sluice.cli", "--config", str(settings), "dead", "count", DESTINATION, "--json"],
        stdout=subprocess.PIPE,
        env=ENVIRON,
    )
    peak_bytes = 0
    while process.poll() is None:
        try:
            peak_bytes = max(peak_bytes, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.1)
    output, _ = process.communicate()
    return time.monotonic() - began_at_s, peak_bytes, [msgspec.json.decode(line) for line in output.splitlines()]


if __name__ == "__main__":
    main()
