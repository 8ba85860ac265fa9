"""The invariant: each record has one receipt in its lane, whatever is published and whenever writers restart."""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.workload import messages
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Stage, source_of, staged
from tests.support.topics import read_all
from tests.support.writer_process import WriterProcess

RECORDS = 600
RESTARTS = 3
_DRAWN = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID")).randrange(1_000_000)
"""Another in each run, the same in each process of a run: they must name their tests alike."""


@pytest.mark.parametrize("seed", [os.environ.get("SEED") or str(_DRAWN)])
async def test_each_record_has_one_receipt_in_its_lane(
    kafka: RunningKafka, prefix: str, tmp_path: Path, seed: str
) -> None:
    """The test's name ends with its seed: ``SEED=…`` runs the same again."""
    rng = random.Random(seed)
    lanes = rng.randint(1, 5)
    async with staged(kafka, prefix, tmp_path, lanes=lanes) as stage:
        config = _settings(stage, rng)
        writers = [stage.writer(config) for _ in range(rng.randint(1, 2))]
        publishing = asyncio.create_task(_publish(stage, rng))
        for _ in range(RESTARTS):
            await _restart(stage, config, writers, rng)
        await stage.settled(await publishing)
        for writer in writers:
            await writer.url()
            assert await writer.stop() == 0
        receipts = [(source_of(receipt), receipt.place.partition) for receipt in await stage.receipts()]
        published = [(one.partition, one.offset) for one in await read_all(stage.connection, stage.topics.records)]
    assert Counter(source for source, _ in receipts) == Counter(published)
    assert all(source[0] == lane for source, lane in receipts)


def _settings(stage: Stage, rng: random.Random) -> Path:
    return stage.settings(
        window={
            "max_items": rng.randint(1, 100),
            "max_bytes": rng.randint(2_000, 20_000),
            "max_age_s": rng.choice((0, 0.05, 0.3)),
        },
        delivery={"max_concurrent_per_writer": rng.randint(1, 2), "max_buffered_items": rng.randint(1, 1000)},
        ordering=rng.choice(("key", "none")),
    )


async def _publish(stage: Stage, rng: random.Random) -> list[tuple[int, int]]:
    sources = []
    everything = list(messages(rng, RECORDS))
    while everything:
        count = rng.randint(1, 100)
        sources += await stage.publish(everything[:count])
        del everything[:count]
        await asyncio.sleep(rng.uniform(0, 0.5))
    return sources


async def _restart(stage: Stage, config: Path, writers: list[WriterProcess], rng: random.Random) -> None:
    """Stop one of ``writers`` at a random moment, and start another in its place."""
    victim = rng.randrange(len(writers))
    await asyncio.sleep(rng.uniform(0.5, 3))
    await writers[victim].url()  # before that, SIGTERM ends it with another code
    assert await writers[victim].stop() == 0
    writers[victim] = stage.writer(config)
