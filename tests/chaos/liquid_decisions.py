"""The cast of Liquid Decisions: items that travel as upserts and as imports, and imports whose answer is lost."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from sandbox.faults.fault import DropAfter, DropBefore, Latency, OmitIdentifiers, Selection, Status
from sandbox.ledger.ledger import LedgerEntry
from sandbox.liquid_decisions.control import LiquidControl
from sandbox.liquid_decisions.faults import FailJob, HoldJobs, LateCommit, SlowJob, UnknownStatus, WrongCount
from sandbox.liquid_decisions.settings import ItemType, Settings, User
from sandbox.liquid_decisions.vendor import LiquidDecisions
from sluice.events import Operation
from sluice.writer.kill_points import KillPoint
from tests.chaos.audit import Expected, Place
from tests.chaos.cast import Cast, SourceOf
from tests.chaos.harm import (
    Harm,
    Scene,
    Writes,
    add_partitions,
    cut_answers,
    deaths,
    dies_at,
    endless_answers,
    expire_tokens,
    faults,
    kill_all,
    kill_writers,
    late_answers,
    lost_answers,
    not_by_the_vendor,
    outage,
    restart_brokers,
    restart_writers,
    scale,
    stop_the_clock,
    storm,
    three_of,
    together,
)
from tests.chaos.orders import order_aborts
from tests.chaos.workload import COLD_KEYS, EXPECTED, HOT_KEYS, HOT_SHARE, publish_in_transactions
from tests.support.stage import Message, Stage, StagedKind, record

NUMBER = "seq"
"""The field by which the ledger's entries are told apart: a number for each record."""
KEYS = {"Account": "accountId", "Airport": "airportId", "Order": "orderId"}
TYPES = {
    "Account": {"key_fields": ["accountId"], "write": "import"},
    "Airport": {"key_fields": ["airportId"], "write": "auto", "import_from": 8, "merge": False},
    "Order": {"key_fields": ["orderId"], "category": "work"},
}
IMPORT = "/ls/api/batch/import"
LOST_AFTER_S = 20.0
"""Longer than the vendor is let wait with a job here."""
WAITING = ("Initialized", "Accepted", "Running")


def messages(rng: random.Random, count: int) -> Iterator[Message]:
    """Yield changes on both roads, creates that may not be repeated, deletes, bad ones, and no records."""
    number = 0
    while number < count:
        name = rng.choice(list(KEYS))
        key = f"hot-{rng.randrange(HOT_KEYS)}" if rng.random() < HOT_SHARE else f"cold-{rng.randrange(COLD_KEYS)}"
        dice = rng.random()
        if dice < 0.68:
            yield _expect("good", number, name, key, rng.choice(("upsert", "update")), name=f"Number {number}")
        elif dice < 0.84:
            yield _expect("increment", number, name, f"new-{number}", "insert", name=f"Number {number}")
        elif dice < 0.88 and number + 1 < count:
            yield _expect("good", number, name, f"gone-{number}", "upsert", name=f"Number {number}")
            yield _delete(name, f"gone-{number}")
            number += 1
        elif dice < 0.92:
            yield _expect("rejected", number, name, f"bad-{number}", "upsert", amount="a lot")
        elif dice < 0.96:
            yield _expect("poison", number, "Nowhere", key, "upsert")
        else:
            yield Message(key.encode(), b"\xff no record", [(EXPECTED, b"poison")])
        number += 1


def _expect(expected: Expected, number: int, object_: str, key: str, operation: Operation, **data: Any) -> Message:
    message = record(key, object=object_, operation=operation, seq=str(number), **data)
    return message._replace(headers=[(EXPECTED, expected.encode())])


def _delete(name: str, key: str) -> Message:
    return record(key, object=name, operation="delete")._replace(headers=[(EXPECTED, b"good")])


def _make_vendor(rng: random.Random) -> LiquidDecisions:
    phase_s = rng.choice((0.0, 0.2, 1.0))
    return LiquidDecisions(
        Settings(
            identifier_field=NUMBER,
            item_types=tuple(
                ItemType(
                    name=name,
                    key_fields=(key,),
                    category="work" if name == "Order" else "entity",
                    fields={key: "string", NUMBER: "string", "name": "string", "amount": "number"},
                )
                for name, key in KEYS.items()
            ),
            queue_s=phase_s,
            slice_records=rng.choice((3, 100)),
            slice_s=rng.choice((0.001, 0.2)),
            late_commit_s=rng.choice((0.0, 0.0, 1.0)),
            count_leaves_out_rejected=rng.random() < 0.5,
            import_counts_refused=rng.random() < 0.3,
            import_fails_on_bad_record=rng.random() < 0.3,
        )
    )


def _settings(rng: random.Random, stage: Stage) -> Mapping[str, Any]:
    """Return how imports are looked up: all of them where the vendor counts what it has refused."""
    vendor = stage.app.vendor
    assert isinstance(vendor, LiquidDecisions)
    verify = "always" if vendor.settings.import_counts_refused else rng.choice(("always", "on_mismatch", "never"))
    return {
        "to": {
            "verify": verify,
            "foreign_writes": rng.choice(("possible", "none")),
            "community_by": rng.choice(("scope", "setCommunity")),
            "updates_page": rng.choice((7, 1000)),
        }
    }


def _source_of(published: Sequence[ConsumerRecord]) -> SourceOf:
    places: dict[str, Place] = {}
    deletes: dict[tuple[str, str], Place] = {}
    for message in published:
        try:
            event = msgspec.json.decode(message.value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        place = message.partition, message.offset
        if event["operation"] == "delete":
            deletes[f"item/{event['object']}", event["key"]] = place
        elif NUMBER in event["data"]:
            places[event["data"][NUMBER]] = place

    def find(entry: LedgerEntry) -> Place | None:
        if entry.operation == "Delete":
            return deletes.get((entry.object, entry.key), (-1, -1))
        return places.get(entry.identifier or "", (-1, -1))

    return find


async def _release(url: str) -> None:
    async with LiquidControl(url) as control:
        await control.release_jobs()


async def hold_jobs(scene: Scene) -> None:
    """Have jobs wait, so that whatever else is done meets them in the middle."""
    after = scene.rng.choice((0, 0, 3))
    scene.stage.app.faults.add(HoldJobs(times=scene.rng.randint(2, 6), after_records=after))
    await scene.some_time(4, 8)
    await _release(scene.stage.url)


async def lose_submits(scene: Scene) -> None:
    """Lose the answers to submits whose jobs run at a later time, and submits that never arrive."""
    rng = scene.rng
    scene.stage.app.faults.add(HoldJobs(times=rng.randint(1, 3), path=IMPORT))
    scene.stage.app.faults.add(DropAfter(times=rng.randint(1, 3), path=IMPORT))
    scene.stage.app.faults.add(DropBefore(times=1, skip=rng.randint(3, 6), path=IMPORT))
    await scene.some_time(4, 8)
    await _release(scene.stage.url)


async def cancel_jobs(scene: Scene) -> None:
    """Have a person at the vendor cancel jobs of ours, before they run or in the middle."""
    async with LiquidControl(scene.stage.url) as control:
        for _ in range(4):
            scene.stage.app.faults.add(HoldJobs(times=2, after_records=scene.rng.choice((0, 3))))
            await scene.some_time(0.5, 1.5)
            waiting = [job.job_id for job in await control.jobs() if job.status in WAITING]
            for job_id in scene.rng.sample(waiting, min(2, len(waiting))):
                await control.cancel_job(job_id)
            await control.release_jobs()


def _own(make: type[Selection], **options: Any) -> Any:
    return lambda rng, _: make(times=rng.randint(1, 4), skip=rng.randint(0, 3), **options)


def _late(rng: random.Random, writes: Writes) -> Selection:
    """Apply a request after its client has left."""
    seconds = rng.uniform(2.2, 5.0)
    return Latency(**writes._asdict(), times=rng.randint(1, 4), skip=rng.randint(0, 9), seconds=seconds)


def _polls_fail(rng: random.Random, _: Writes) -> Selection:
    path = rng.choice(("/ls/api/batch/status", "/ls/api/items/updates", "/ls/api/data/sqlQuery"))
    return Status(path=path, status=rng.choice((500, 503)), times=rng.randint(3, 10))


everything = three_of(
    kill_writers,
    stop_the_clock,
    restart_writers,
    hold_jobs,
    lose_submits,
    faults(lost_answers, outage),
    faults(_polls_fail, storm),
    faults(_late, cut_answers),
)


HARMS: dict[str, Harm] = {
    "nothing": Harm(),
    **deaths(*KillPoint),
    "kill-unanswered": dies_at(KillPoint.SENDING, later_ms=(2, 60)),
    "kill-committing": dies_at(KillPoint.WRITTEN, later_ms=(1, 10)),
    "kill-writers": Harm(together(kill_writers, hold_jobs)),
    "kill-all": Harm(together(kill_all, hold_jobs)),
    "zombie": Harm(stop_the_clock),
    "brokers": Harm(restart_brokers),
    "brokers-and-writers": Harm(together(restart_brokers, kill_writers)),
    "rolling-restart": Harm(together(restart_writers, hold_jobs)),
    "scale": Harm(together(scale, hold_jobs)),
    "outage": Harm(faults(outage, outage)),
    "storm": Harm(faults(storm, storm)),
    "polls-fail": Harm(together(faults(_polls_fail, _polls_fail), kill_writers)),
    "lost-answers": Harm(faults(lost_answers, lost_answers)),
    "lost-submits": Harm(lose_submits),
    "lost-and-killed": Harm(together(lose_submits, kill_writers)),
    "lost-and-restarted": Harm(together(lose_submits, restart_writers)),
    "cut-answers": Harm(faults(cut_answers, cut_answers)),
    "late-answers": Harm(faults(late_answers)),
    "late-requests": Harm(faults(_late, _late)),
    "expired-tokens": Harm(expire_tokens),
    "slow-jobs": Harm(together(faults(_own(SlowJob, seconds=5.0, slice_s=1.0)), restart_writers)),
    "failed-jobs": Harm(together(faults(_own(FailJob, after_records=2)), kill_writers)),
    "late-commits": Harm(faults(_own(LateCommit, seconds=1.5), _own(LateCommit, seconds=1.5))),
    "unknown-status": Harm(faults(_own(UnknownStatus, path="/ls/api/batch"))),
    "wrong-counts": Harm(faults(_own(WrongCount), _own(WrongCount, by=1))),
    "nameless-rejects": Harm(faults(_own(OmitIdentifiers), _own(OmitIdentifiers))),
    "cancelled-by-others": Harm(together(cancel_jobs, kill_writers), may_cancel=True),
    "cancelled-by-us": Harm(together(order_aborts(lambda: HoldJobs(times=2), _release), kill_writers), may_cancel=True),
    "not-by-the-vendor": Harm(faults(not_by_the_vendor, not_by_the_vendor, not_by_the_vendor)),
    "endless-answers": Harm(faults(endless_answers, endless_answers)),
    "partitions-added": Harm(together(add_partitions, kill_writers)),
    "aborts": Harm(kill_writers, publish=publish_in_transactions),
    "everything": Harm(everything),
}

ACCOUNT = {
    "kind": "liquid_decisions",
    "username": User().user_id,
    "password": User().password,
    "community": "ACME",
    "types": TYPES,
    "import_timeout_s": 2.0,
    "lost_after_s": LOST_AFTER_S,
    "read_lag_s": 2.0,
}
LIQUID_DECISIONS = Cast(
    make_vendor=_make_vendor,
    kind=StagedKind(ACCOUNT),
    writes=Writes(path="/ls/api"),
    harms=HARMS,
    messages=messages,
    settings=_settings,
    heal=_release,
    source_of=_source_of,
    idle_effects=frozenset({"Absent"}),
)
