"""Harm to a writer, its Kafka and its vendor while it delivers. Each harm has a name; its times are drawn."""

import asyncio
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aiokafka.admin import NewPartitions

from sandbox.faults.fault import (
    Bomb,
    DropAfter,
    Endless,
    Garbage,
    MissingResults,
    Outage,
    Selection,
    Stall,
    Standing,
    Status,
    StatusAfter,
    Truncate,
)
from sandbox.kafka.broker import Broker
from sluice.kafka.topic_admin import admin_client
from sluice.writer.kill_points import KillPoint
from tests.chaos.crew import Crew
from tests.chaos.workload import (
    REJECTED_CODE,
    publish,
    publish_in_transactions,
    publish_to_topics_made_anew,
    publish_with_bombs,
)
from tests.support.paths import ROOT
from tests.support.stage import SESSION_TIMEOUT_S, TIMEOUT_S, Message, Stage
from tests.support.topics import partitions_of

WRITERS = 3


class Writes(NamedTuple):
    """The requests by which a vendor is written to, as faults select them."""

    method: str | None = None
    path: str | None = None


class Scene(NamedTuple):
    """The parts of a round that a harm can reach."""

    stage: Stage
    crew: Crew
    brokers: Sequence[Broker]
    rng: random.Random
    writes: Writes

    async def some_time(self, low_s: float = 0.3, high_s: float = 1.5) -> None:
        await asyncio.sleep(self.rng.uniform(low_s, high_s))


Act = Callable[[Scene], Awaitable[None]]


async def nothing(scene: Scene) -> None:
    """Do only what the arguments of the writers and the publisher do."""


class Harm(NamedTuple):
    """``arguments`` are those with which each writer is started at first."""

    act: Act = nothing
    arguments: Callable[[random.Random], Sequence[str]] = lambda _: ()
    publish: Callable[[Stage, random.Random, Sequence[Message], float], Awaitable[None]] = publish
    samples_count: bool = True
    """False when commits during the harm cannot be compared with receipts: clocks differ, or topics change."""
    may_cancel: bool = False
    """True when somebody ends vendor jobs early."""
    may_refuse: bool = False
    """True when somebody refuses what is good, in the vendor's place or in its name."""


def dies_at(point: KillPoint, later_ms: tuple[int, int] = (0, 0)) -> Harm:
    """Have every writer kill itself when it has passed ``point`` so often."""

    def arguments(rng: random.Random) -> Sequence[str]:
        later = rng.randint(*later_ms)
        return ["--at", point.value, "--times", str(rng.randint(1, 12)), "--later-ms", str(later)]

    return Harm(arguments=arguments)


def stands_still_at(point: KillPoint) -> Harm:
    """Have every writer stop itself when it has passed ``point`` so often; wake it when others have its lanes."""

    def arguments(rng: random.Random) -> Sequence[str]:
        return ["--at", point.value, "--signal", "STOP", "--times", str(rng.randint(1, 12))]

    return Harm(wake_up, arguments)


def together(*acts: Act) -> Act:
    """Return an act of several at the same time."""

    async def act(scene: Scene) -> None:
        await asyncio.gather(*(one(scene) for one in acts))

    return act


async def wake_up(scene: Scene) -> None:
    """Wake them twice, because those that stand still do not all stop at the same time."""
    for _ in range(2):
        await scene.some_time(SESSION_TIMEOUT_S + 1, SESSION_TIMEOUT_S + 3)
        for writer in scene.crew.standing_still:
            writer.send(signal.SIGCONT)


async def kill_writers(scene: Scene) -> None:
    for _ in range(4):
        await scene.some_time()
        scene.crew.any().send(signal.SIGKILL)


async def kill_all(scene: Scene) -> None:
    for _ in range(2):
        await scene.some_time(1, 3)
        for writer in scene.crew.running:
            writer.send(signal.SIGKILL)


async def stop_the_clock(scene: Scene) -> None:
    """A writer stands still until others have its lanes, and wakes: a zombie."""
    await scene.some_time()
    writer = scene.crew.any()
    writer.send(signal.SIGSTOP)
    await scene.some_time(SESSION_TIMEOUT_S + 1, SESSION_TIMEOUT_S + 4)
    writer.send(signal.SIGCONT)


async def restart_brokers(scene: Scene) -> None:
    for broker in scene.rng.sample(scene.brokers, len(scene.brokers)):
        await scene.some_time()
        await asyncio.to_thread(broker.kill)
        await scene.some_time()
        await asyncio.to_thread(broker.start)


async def restart_writers(scene: Scene) -> None:
    for writer in scene.crew.running:
        await scene.some_time(0.5, 2)
        writer.send(signal.SIGTERM)
        await writer.ended()


async def scale(scene: Scene) -> None:
    """Go from three writers to one, and back to three."""
    await scene.some_time()
    scene.crew.wanted = 1
    for writer in scene.crew.running[1:]:
        writer.send(signal.SIGTERM)
    await scene.some_time(2, 4)
    scene.crew.wanted = WRITERS


def faults(*standing: Callable[[random.Random, Writes], Selection]) -> Act:
    """Return an act of faults of the vendor, one after the other."""

    async def act(scene: Scene) -> None:
        for make in standing:
            await scene.some_time()
            scene.stage.app.faults.add(make(scene.rng, scene.writes))

    return act


def lost_answers(rng: random.Random, writes: Writes) -> Standing:
    return DropAfter(**writes._asdict(), times=rng.randint(2, 6), skip=rng.randint(0, 5))


def cut_answers(rng: random.Random, writes: Writes) -> Standing:
    return Truncate(**writes._asdict(), times=rng.randint(1, 3), framing=rng.choice(("length", "chunked", "complete")))


def late_answers(rng: random.Random, writes: Writes) -> Standing:
    return Stall(**writes._asdict(), times=rng.randint(1, 4), seconds=TIMEOUT_S + 1)


def missing_results(rng: random.Random, writes: Writes) -> Standing:
    """Items of which the vendor says nothing: they are tried again, 30 s later."""
    return MissingResults(**writes._asdict(), times=rng.randint(1, 4), skip=rng.randint(0, 5), count=rng.randint(1, 3))


def outage(rng: random.Random, _: Writes) -> Standing:
    return Outage(seconds=rng.uniform(1, 4), status=rng.choice((None, 503)))


def storm(rng: random.Random, writes: Writes) -> Standing:
    return Status(**writes._asdict(), status=429, times=rng.randint(5, 30), retry_after_s=rng.choice((None, 0.2, 1.0)))


PAGE = "<html><h1>Sorry</h1></html>"


def not_by_the_vendor(rng: random.Random, writes: Writes) -> Standing:
    """Answer as a proxy does: for a vendor that is away, or in place of one that has applied the request."""
    kind, status = rng.choice((Status, StatusAfter)), rng.choice((302, 404, 405, 502, 503))
    location = "https://elsewhere.test/" if status == 302 else None
    times = rng.randint(2, 6)
    return kind(**writes._asdict(), times=times, status=status, body=PAGE, content_type="text/html", location=location)


def endless_answers(rng: random.Random, writes: Writes) -> Standing:
    return rng.choice((Endless, Bomb, Garbage))(**writes._asdict(), times=rng.randint(1, 3), skip=rng.randint(0, 3))


def writes_reset(rng: random.Random, writes: Writes) -> Standing:
    """Reset writes while reads work, as a firewall does."""
    return Outage(**writes._asdict(), seconds=rng.uniform(2, 5))


async def add_partitions(scene: Scene) -> None:
    await scene.some_time()
    topics = scene.stage.topics
    async with admin_client(scene.stage.connection.kafka) as admin:
        count = len(await partitions_of(admin, topics.records)) + scene.rng.randint(1, 2)
        await admin.create_partitions({topic: NewPartitions(count) for topic in topics.all})


async def expire_tokens(scene: Scene) -> None:
    for _ in range(6):
        await scene.some_time()
        scene.stage.app.vendor.expire_tokens()


async def redrive(scene: Scene) -> None:
    """Redrive what was rejected, which is rejected again. Redrives are killed or fail; the last one may fail too."""
    connection = scene.stage.connection
    command = (sys.executable, "-m", "tests.support.redrive_process", connection.kafka.bootstrap_servers)
    for last in (False, False, True):
        await scene.some_time(1, 2)
        process = await asyncio.create_subprocess_exec(
            *(*command, connection.topic_prefix, REJECTED_CODE),
            cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(None if last else scene.rng.uniform(0.5, 2.5)):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def fail_for_now(scene: Scene) -> None:
    """Retries wait while their lanes change hands."""
    await faults(missing_results, missing_results)(scene)
    await kill_writers(scene)
    await restart_writers(scene)


def three_of(*acts: Act) -> Act:
    """Return what does three of ``acts`` at the same time."""

    async def act(scene: Scene) -> None:
        await together(*scene.rng.sample(acts, 3))(scene)

    return act


everything = three_of(
    kill_writers,
    stop_the_clock,
    restart_writers,
    redrive,
    faults(lost_answers, outage),
    faults(cut_answers, storm),
)


JOB_POINTS = (KillPoint.NAMED, KillPoint.COLLECTED)
"""Points that only records in vendor jobs pass."""


def deaths(*points: KillPoint) -> dict[str, Harm]:
    """Return what kills, and what stops, a writer at each of ``points``."""
    return {f"kill-{point}": dies_at(point) for point in points} | {
        f"still-{point}": stands_still_at(point) for point in points
    }


HARMS: dict[str, Harm] = {
    "nothing": Harm(),
    **deaths(*(point for point in KillPoint if point not in JOB_POINTS)),
    "kill-unanswered": dies_at(KillPoint.SENDING, later_ms=(2, 60)),
    "kill-committing": dies_at(KillPoint.WRITTEN, later_ms=(1, 10)),
    "kill-writers": Harm(kill_writers),
    "kill-all": Harm(kill_all),
    "zombie": Harm(stop_the_clock),
    "brokers": Harm(restart_brokers),
    "brokers-and-writers": Harm(together(restart_brokers, kill_writers)),
    "rolling-restart": Harm(restart_writers),
    "scale": Harm(scale),
    "outage": Harm(faults(outage, outage)),
    "storm": Harm(faults(storm, storm)),
    "lost-answers": Harm(faults(lost_answers, lost_answers)),
    "cut-answers": Harm(faults(cut_answers, cut_answers)),
    "late-answers": Harm(faults(late_answers)),
    "missing-results": Harm(fail_for_now),
    "expired-tokens": Harm(expire_tokens),
    "redrive": Harm(together(redrive, kill_writers)),
    "redrive-and-brokers": Harm(together(redrive, restart_brokers)),
    "clock-skew": Harm(
        together(kill_writers, faults(missing_results, lost_answers)),
        lambda rng: ["--clock-ahead-s", str(rng.choice((-3600, 0, 3600)))],
        samples_count=False,
    ),
    "not-by-the-vendor": Harm(faults(not_by_the_vendor, not_by_the_vendor, not_by_the_vendor)),
    "endless-answers": Harm(faults(endless_answers, endless_answers)),
    "writes-reset": Harm(faults(writes_reset, writes_reset)),
    "header-bombs": Harm(kill_writers, publish=publish_with_bombs),
    "partitions-added": Harm(together(add_partitions, kill_writers)),
    "topics-made-anew": Harm(kill_writers, publish=publish_to_topics_made_anew, samples_count=False),
    "aborts": Harm(kill_writers, publish=publish_in_transactions),
    "everything": Harm(everything),
    "everything-aborted": Harm(everything, publish=publish_in_transactions),
}
