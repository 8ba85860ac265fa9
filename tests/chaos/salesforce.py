"""The cast of Salesforce: jobs that run later, people who abort them, and inserts that must not be repeated."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from sandbox.faults.fault import Selection, Standing, Status
from sandbox.salesforce.control import SalesforceControl
from sandbox.salesforce.default_objects import ACCOUNT, CONTACT, TASK
from sandbox.salesforce.faults import HoldJobs, LateResults, LockRows, SlowJob, StateGoesBack
from sandbox.salesforce.objects import text
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sluice.writer.kill_points import KillPoint
from tests.chaos.audit import Expected, Place
from tests.chaos.cast import Cast, SourceOf, no_settings
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
from tests.support.stage import Message, StagedKind, record

WAITING = ("Open", "Queued", "UploadComplete", "InProgress")
NUMBER = "Seq__c"
"""The field by which the ledger's entries are told apart: a number for each record."""
LOGIN = {
    "flow": "client_credentials",
    "client_id": Settings().client_id,
    "client_secret": Settings().client_secret,
}
ACCOUNT_SETTINGS = {
    "login": LOGIN,
    "external_ids": {"Contact": "Ext__c", "Account": "Ext__c"},
    "identifier_fields": {"Task": "Ext__c"},
    "read_lag_s": 0.2,
}


def messages(rng: random.Random, count: int) -> Iterator[Message]:
    """Yield mostly upserts, inserts that may not be repeated, some bad ones, and some that are no records."""
    for number in range(count):
        key = f"hot-{rng.randrange(HOT_KEYS)}" if rng.random() < HOT_SHARE else f"cold-{rng.randrange(COLD_KEYS)}"
        dice = rng.random()
        if dice < 0.55:
            yield _expect("good", number, "Contact", key, LastName=f"Number {number}")
        elif dice < 0.65:
            yield _expect("good", number, "Account", key, Name=f"Number {number}")
        elif dice < 0.88:
            message = record(None, object="Task", operation="insert", Subject="Call", Seq__c=str(number))
            yield message._replace(headers=[(EXPECTED, b"increment")], key=f"task-{number}".encode())
        elif dice < 0.94:
            yield _expect("rejected", number, "Contact", f"bad-{number}", Email="no address")
        elif dice < 0.97:
            yield _expect("poison", number, "Contact", f"bad-{number}", Nowhere__c="x")
        else:
            yield Message(key.encode(), b"\xff no record", [(EXPECTED, b"poison")])


def _expect(expected: Expected, number: int, object_: str, key: str, **data: Any) -> Message:
    message = record(key, object=object_, Seq__c=str(number), **data)
    return message._replace(headers=[(EXPECTED, expected.encode())])


def _make_vendor(rng: random.Random) -> Salesforce:
    objects = tuple(
        msgspec.structs.replace(one, fields=(*one.fields, text(NUMBER))) if one in (ACCOUNT, CONTACT, TASK) else one
        for one in Settings().objects
    )
    phase_s = rng.choice((0.0, 0.2, 1.0))
    return Salesforce(Settings(identifier_field=NUMBER, objects=objects, queued_s=phase_s, in_progress_s=phase_s))


def _source_of(published: Sequence[ConsumerRecord]) -> SourceOf:
    places: dict[str, Place] = {}
    for message in published:
        try:
            number = msgspec.json.decode(message.value)["data"][NUMBER]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
            continue
        places[number] = (message.partition, message.offset)
    return lambda entry: places.get(entry.identifier or "", (-1, -1))


async def _release(url: str) -> None:
    async with SalesforceControl(url) as control:
        await control.release_jobs()


async def abort_jobs(scene: Scene) -> None:
    """Have an administrator abort jobs of ours that wait."""
    async with SalesforceControl(scene.stage.url) as control:
        for _ in range(4):
            scene.stage.app.faults.add(HoldJobs(times=2))
            await scene.some_time(0.5, 1.5)
            waiting = [job.id for job in await control.jobs() if job.state in WAITING]
            for job_id in scene.rng.sample(waiting, min(2, len(waiting))):
                await control.abort_job(job_id)
            await control.release_jobs()


async def hold_jobs(scene: Scene) -> None:
    """Have jobs wait, so that whatever else is done meets them in the middle."""
    async with SalesforceControl(scene.stage.url) as control:
        scene.stage.app.faults.add(HoldJobs(times=scene.rng.randint(4, 12)))
        await scene.some_time(4, 8)
        await control.release_jobs()


def _standing(make: type[Selection], **options: Any) -> Any:
    return lambda rng, _: make(times=rng.randint(1, 4), skip=rng.randint(0, 3), **options)


def polls_fail(rng: random.Random, _: Writes) -> Standing:
    return Status(method="GET", status=rng.choice((500, 503)), times=rng.randint(3, 10))


everything = three_of(
    kill_writers,
    stop_the_clock,
    restart_writers,
    hold_jobs,
    faults(lost_answers, outage),
    faults(polls_fail, storm),
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
    "polls-fail": Harm(together(faults(polls_fail, polls_fail), kill_writers)),
    "lost-answers": Harm(faults(lost_answers, lost_answers)),
    "cut-answers": Harm(faults(cut_answers, cut_answers)),
    "late-answers": Harm(faults(late_answers)),
    "expired-sessions": Harm(expire_tokens),
    "locks": Harm(together(faults(_standing(LockRows, rows=3)), kill_writers)),
    "slow-jobs": Harm(together(faults(_standing(SlowJob, phase_s=6.0)), restart_writers)),
    "late-results": Harm(faults(_standing(LateResults), _standing(StateGoesBack))),
    "aborted-by-others": Harm(together(abort_jobs, kill_writers), may_cancel=True),
    "aborted-by-us": Harm(together(order_aborts(lambda: HoldJobs(times=2), _release), kill_writers), may_cancel=True),
    "not-by-the-vendor": Harm(faults(not_by_the_vendor, not_by_the_vendor, not_by_the_vendor)),
    "endless-answers": Harm(faults(endless_answers, endless_answers)),
    "partitions-added": Harm(together(add_partitions, kill_writers)),
    "aborts": Harm(kill_writers, publish=publish_in_transactions),
    "everything": Harm(everything),
}


def _cast(kind: str) -> Cast:
    return Cast(
        make_vendor=_make_vendor,
        kind=StagedKind({"kind": kind, **ACCOUNT_SETTINGS}),
        writes=Writes(path="/services"),
        harms=HARMS,
        messages=messages,
        settings=no_settings,
        heal=_release,
        source_of=_source_of,
    )


BULK1, BULK2 = _cast("salesforce_bulk1"), _cast("salesforce_bulk2")
