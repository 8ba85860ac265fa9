"""``python -m tests.bench.dead_letters``: how long `sluice dead count` takes with a million dead letters (issue 4)."""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
import psutil
from aiokafka import AIOKafkaProducer

from sandbox.kafka.cluster import LocalKafka
from sluice.events import Place
from sluice.flow.outcome import Fate
from sluice.kafka.sending import Message
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.topics import topics_of
from sluice.writer.lanes.receipt_messages import Failure, Letter, dead_letter
from tests.bench.workload import message
from tests.support.paths import ROOT

BUDGET_S = 30.0
_SLICE = 1000
_IN_FLIGHT = 8
_NOW = datetime.now(UTC)
_REASONS = 7, 2, 1
"""Shares of the three reasons, in tenths."""


@click.command()
@click.option("--letters", default=1_000_000, show_default=True)
@click.option("--lanes", default=12, show_default=True)
def main(letters: int, lanes: int) -> None:
    """Write dead letters of three reasons, whose messages all differ, and have the command count them."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or stack.enter_context(LocalKafka()).bootstrap_servers
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prefix = f"dead-{time.time_ns():x}."
        asyncio.run(_bury(servers, prefix, letters, lanes))
        seconds, peak_bytes, groups = _count(_settings(directory, servers, prefix))
    counted = sum(group["letters"] for group in groups)
    for group in groups:
        click.echo(f"{group['letters']:>9,}  {group['code']:<14} {group['message']}")
    click.echo(
        f"{counted:,} dead letters counted by reason in {seconds:.1f} s (budget {BUDGET_S:g} s), "
        f"the command's start included; peak memory {peak_bytes / 2**20:.0f} MiB"
    )
    sys.exit(0 if counted == letters else 1)


async def _bury(servers: str, prefix: str, letters: int, lanes: int) -> None:
    topics = topics_of("crm", prefix)
    async with admin_client(KafkaSettings(bootstrap_servers=servers)) as admin:
        await create_topics(admin, "crm", prefix, partitions=lanes)
    producer = AIOKafkaProducer(bootstrap_servers=servers, max_batch_size=1_000_000, compression_type="snappy")
    async with producer:
        sent: deque[asyncio.Future[Any]] = deque()
        for first in range(0, letters, _SLICE):
            lane = first // _SLICE % lanes
            builder = producer.create_batch()
            for number in range(first, min(first + _SLICE, letters)):
                letter = _letter(number, topics.records, lane)
                builder.append(timestamp=None, key=letter.key, value=letter.value, headers=letter.headers)
            sent.append(await producer.send_batch(builder, topics.dead_letters, partition=lane))
            if len(sent) > _IN_FLIGHT:
                await sent.popleft()
        await asyncio.gather(*sent)


def _letter(number: int, records: str, lane: int) -> Message:
    key, value, headers = message(number, sampled_every=100)
    source = Place(topic=records, partition=lane, offset=number)
    return dead_letter(Letter(key, value, headers, source, 1), _failure(number), f"b-{number // 1000}", _NOW)


def _failure(number: int) -> Failure:
    if number % 10 < _REASONS[0]:
        return Failure(Fate.REJECTED, "UNKNOWN_FIELD", f'field "nmae" of record company-{number} is unknown', 200)
    if number % 10 < _REASONS[0] + _REASONS[1]:
        return Failure(Fate.REJECTED, "INVALID_EMAIL", f"no @ in 'joe.{number:x}'", 200)
    return Failure(Fate.AMBIGUOUS, "lost-answer", f"no answer within {number} ms")


def _settings(directory: Path, servers: str, prefix: str) -> Path:
    path = directory / "sluice.yaml"
    to = {"kind": "blueconic", "url": "http://localhost:1", "client_id": "me", "client_secret": "secret"}
    settings = {
        "kafka": {"bootstrap_servers": servers},
        "topic_prefix": prefix,
        "destinations": {"crm": {"to": to}},
    }
    path.write_bytes(msgspec.json.encode(settings))  # JSON is YAML
    return path


def _count(settings: Path) -> tuple[float, int, list[dict[str, Any]]]:
    """Seconds, peak memory in bytes, and the reasons that the command prints."""
    began_at_s = time.monotonic()
    process = psutil.Popen(
        [sys.executable, "-m", "sluice.cli", "--config", str(settings), "dead", "count", "crm", "--json"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "services")},
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
