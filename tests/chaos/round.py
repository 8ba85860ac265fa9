"""One round: writers deliver a known workload while harm is done to them; then all is healed, and audited."""

import asyncio
import random
import shutil
import signal
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka.errors import KafkaError

from sandbox.faults.fault import Latency
from sandbox.kafka.broker import Broker
from sluice.client.outcomes import outcomes
from sluice.kafka.clients import KafkaUnreachable
from tests.chaos.audit import Evidence, Sample, Violation, audit
from tests.chaos.cast import BLUECONIC, Cast
from tests.chaos.crew import Crew
from tests.chaos.evidence import committed, gather, records_of, sample
from tests.chaos.harm import WRITERS, Scene
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import SESSION_TIMEOUT_S, Stage, change_settings, source_of, staged
from tests.support.writer_process import DESTINATION, eventually

LANES = 6
PUBLISHED_OVER_S = 6.0
SETTLED_WITHIN_S = 120.0
LATE_S = 1.0
"""How long a second receipt is waited for, after every record has its first."""


class Result(NamedTuple):
    """The result of a round."""

    seed: int
    harm: str
    records: int
    receipts: int
    seconds: float
    peak_rss_bytes: int
    violations: list[Violation]
    kept: Path | None
    """Where its logs and evidence are, if something was wrong."""

    @property
    def verdict(self) -> str:
        kinds = sorted({violation.kind for violation in self.violations})
        return ", ".join(kinds).upper() if kinds else "clean"


async def play(
    servers: str,
    brokers: Sequence[Broker],
    harm: str,
    seed: int,
    records: int,
    *,
    cast: Cast = BLUECONIC,
    writers_kafka: Mapping[str, Any] | None = None,
) -> Result:
    """Play one round; leaves nothing running, and files only if it was not clean.

    ``writers_kafka`` is how the writers reach Kafka, if not as everybody else does.
    """
    started_at_s = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix=f"sluice-chaos-{harm}-{seed}-"))
    prefix = f"chaos-{seed}-{uuid.uuid4().hex[:6]}."
    rng = random.Random(f"{seed} {harm}")
    vendor = cast.make_vendor(rng)
    async with staged(RunningKafka(servers), prefix, directory, lanes=LANES, vendor=vendor, kind=cast.kind) as stage:
        evidence, crashes = await _play(stage, cast, brokers, harm, rng, records, writers_kafka)
    violations = [*audit(evidence), *(Violation("crash", crash) for crash in crashes)]
    if violations:
        _keep(directory, evidence, violations)
    else:
        shutil.rmtree(directory)
    return Result(
        seed,
        harm,
        len(evidence.records),
        len(evidence.receipts),
        time.monotonic() - started_at_s,
        evidence.peak_rss_bytes,
        violations,
        directory if violations else None,
    )


async def _play(
    stage: Stage,
    cast: Cast,
    brokers: Sequence[Broker],
    name: str,
    rng: random.Random,
    records: int,
    writers_kafka: Mapping[str, Any] | None,
) -> tuple[Evidence, list[str]]:
    harm = cast.harms[name]
    crew = Crew(stage, _settings(stage, cast, rng, writers_kafka), rng)
    scene = Scene(stage, crew, brokers, rng, cast.writes)
    stage.app.faults.add(Latency(**cast.writes._asdict(), seconds=0.01, jitter_s=0.08, times=None))
    messages = list(cast.messages(rng, records))
    for _ in range(WRITERS):
        crew.start(*harm.arguments(rng))
    crew.wanted = WRITERS
    samples: list[Sample] = []
    async with asyncio.TaskGroup() as group:
        tending = [group.create_task(crew.supervise()), group.create_task(_take_samples(stage, samples))]
        await eventually(lambda: _some_lane_open(crew))
        await asyncio.gather(harm.publish(stage, rng, messages, PUBLISHED_OVER_S), harm.act(scene))
        await _heal(scene)
        await cast.heal(stage.url)
        await _settle(stage)
        for task in tending:
            task.cancel()
    await crew.stop()
    return await gather(stage, cast, harm, samples, crew.peak_rss_bytes), crew.crashes


def _settings(stage: Stage, cast: Cast, rng: random.Random, writers_kafka: Mapping[str, Any] | None) -> Path:
    config = stage.settings(
        **cast.settings(rng, stage),
        window={"max_items": rng.choice((5, 20, 60)), "max_bytes": 20_000, "max_age_s": rng.choice((0.02, 0.1, 0.2))},
        delivery={
            "max_concurrent_per_writer": rng.choice((1, 2)),
            "max_buffered_items": rng.choice((100, 20_000)),
            "max_waiting_per_lane": rng.choice((20, 5_000)),
            "drain_timeout_s": rng.choice((0.1, 5)),
        },
    )
    if writers_kafka is None:
        return config
    return change_settings(config, kafka={**writers_kafka, "session_timeout_s": SESSION_TIMEOUT_S})


async def _some_lane_open(crew: Crew) -> bool:
    return any(writer.logged("lane open") for writer in crew.running) or len(crew.running) < WRITERS


async def _take_samples(stage: Stage, samples: list[Sample]) -> None:
    while True:
        await asyncio.sleep(1.0)
        try:
            async with asyncio.timeout(5):
                samples.append(await sample(stage))
        except (KafkaError, KafkaUnreachable, TimeoutError):  # a broker is down; the next second is as good
            continue


async def _heal(scene: Scene) -> None:
    scene.stage.app.faults.clear()
    scene.crew.wanted = WRITERS
    for writer in scene.crew.running:
        writer.send(signal.SIGCONT)
    for broker in scene.brokers:
        await asyncio.to_thread(broker.start)


async def _settle(stage: Stage) -> None:
    """Wait until every record has a receipt and all is committed, or until it is clear that this will not be."""
    records = await records_of(stage)
    missing = Counter(record.source for record in records)
    places = [record.place for record in records]
    ends = {lane: max(offset for number, offset in places if number == lane) + 1 for lane, _ in places}

    async def all_committed() -> bool:
        found = await committed(stage)
        return all(found.get((stage.topics.records, lane), 0) >= end for lane, end in ends.items())

    try:
        async with asyncio.timeout(SETTLED_WITHIN_S):
            async for receipt in outcomes(DESTINATION, stage.connection, since="beginning"):
                missing[source_of(receipt)] -= 1
                if not +missing:
                    break
            await eventually(all_committed)
    except (TimeoutError, AssertionError):
        return  # the audit says what is missing
    await asyncio.sleep(LATE_S)


def _keep(directory: Path, evidence: Evidence, violations: list[Violation]) -> None:
    lines = "".join(f"{kind}: {what}\n" for kind, what in violations)
    (directory / "violations.txt").write_text(lines, encoding="utf-8")
    (directory / "evidence.json").write_bytes(msgspec.json.encode(evidence._asdict(), enc_hook=str))
