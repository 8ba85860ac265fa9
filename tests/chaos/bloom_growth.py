"""The cast of Bloom Growth: a call or a few for each record, creates that must not be repeated, twins, and meetings."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from sandbox.bloom_growth.control import BloomGrowthControl
from sandbox.bloom_growth.faults import AnswerAfter, IgnoreWrite, VanishMeeting
from sandbox.bloom_growth.ids import FIRST_IDS, Kind
from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.vendor import BloomGrowth
from sandbox.faults.fault import DropBefore, Latency, Selection, Standing, Status
from sandbox.ledger.ledger import LedgerEntry
from sluice.events import Operation, encode_event
from sluice.records import make_record
from sluice.writer.kill_points import KillPoint
from tests.chaos.audit import Expected, Made, Place
from tests.chaos.cast import Cast, SourceOf, nothing_left
from tests.chaos.harm import (
    Harm,
    Scene,
    Writes,
    add_partitions,
    cut_answers,
    deaths,
    dies_at,
    endless_answers,
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
    three_of,
    together,
)
from tests.chaos.workload import EXPECTED, MAKES, PARTS, publish_in_transactions
from tests.support.stage import Message, Stage, StagedKind, record

MEETINGS = range(FIRST_IDS["meeting"], FIRST_IDS["meeting"] + 3)
PEOPLE = range(FIRST_IDS["user"], FIRST_IDS["user"] + 12)
STRANGER, NOBODY = FIRST_IDS["user"] + 13, 99
"""A person of the other organization, and the id of none."""
SEEDED: dict[Kind, int] = {"issue": 10, "todo": 12, "goal": 10}
"""How many of each the stand-in has at its start, which records update."""
PAGE = "<html><h1>Sorry</h1></html>"
LATEST_S = 5.0
"""How late a request is applied at most: after TIMEOUT_S it is given up, SETTLE_S later it is asked about."""


def messages(rng: random.Random, count: int) -> Iterator[Message]:
    """Yield creates and changes: twins, meetings with attendees, some bad ones, and some that are no records."""
    number = 0
    while number < count:
        dice = rng.random()
        if dice < 0.06 and number + 1 < count:
            yield from _twins(rng, number)
            number += 1
        elif dice < 0.40:
            yield _create(rng, number, f"Number {number}")
        elif dice < 0.50:
            yield _meeting(rng, number)
        elif dice < 0.90:
            yield _update(rng, number)
        elif dice < 0.95:
            yield _refused(rng, number)
        else:
            yield _poison(rng, number)
        number += 1


def _create(rng: random.Random, number: int, title: str) -> Message:
    """Return a create in one of few meetings, of which one lane has all, or one that shares its lane with nothing."""
    object_ = rng.choice(("issue", "todo", "goal", "headline"))
    operation: Operation = rng.choice(("insert", "insert", "upsert"))
    meeting_id = rng.choice(MEETINGS)
    if object_ in ("todo", "goal") and operation == "insert" and rng.random() < 0.3:
        key = rng.choice((title, f"other-{number}"))
        return _make(None, object_, operation, key, title=title, user_id=rng.choice(PEOPLE))
    key = str(meeting_id) if rng.random() < 0.7 else f"other-{number}"
    return _make(None, object_, operation, key, title=title, meeting_id=meeting_id)


def _twins(rng: random.Random, number: int) -> Iterator[Message]:
    title, meeting_id, together_ = f"Twins  {number}", rng.choice(MEETINGS), rng.random() < 0.6
    for one in (number, number + 1):
        key = str(meeting_id) if together_ else f"other-{one}"
        yield _make(None, "issue", "insert", key, title=title, meeting_id=meeting_id)


def _meeting(rng: random.Random, number: int) -> Message:
    title, attendees = f"Meeting {number}", rng.sample(PEOPLE[1:], 3)
    key = title if rng.random() < 0.7 else f"other-{number}"
    expected: Expected = "increment"
    bad = [rng.choice((STRANGER, NOBODY))] if rng.random() < 0.1 else []
    if bad:
        expected = "partial"
    everybody = rng.sample([*attendees, *bad], len(attendees) + len(bad))
    return _make(expected, "meeting", "insert", key, parts=everybody, title=title, attendees=everybody)


def _update(rng: random.Random, number: int) -> Message:
    """Return a change of an object that is there; its title tells in the ledger which record it is of."""
    object_ = rng.choice(list(SEEDED))
    key = str(FIRST_IDS[object_] + rng.randrange(SEEDED[object_]))
    data: dict[str, Any] = {"title": f"Number {number}"}
    if rng.random() < 0.4:
        data["archived" if object_ == "goal" else "complete"] = rng.random() < 0.5
    message = record(key, object=object_, operation="update", **data)
    return message._replace(headers=[(EXPECTED, b"good")])


def _refused(rng: random.Random, number: int) -> Message:
    if rng.random() < 0.5:
        return _make("refused", "issue", "insert", f"bad-{number}", title=f"Bad {number}", meeting_id=NOBODY)
    message = record(str(NOBODY), object="todo", operation="update", title=f"Bad {number}")
    return message._replace(headers=[(EXPECTED, b"rejected")])


def _poison(rng: random.Random, number: int) -> Message:
    key = str(rng.choice(MEETINGS)).encode()
    if rng.random() < 0.3:
        return Message(key, b"\xff no record", [(EXPECTED, b"poison")])
    object_ = rng.choice(("cow", "issue"))
    return _make("poison", object_, "insert", key.decode(), name=f"Number {number}")._replace(
        headers=[(EXPECTED, b"poison")]
    )


def _make(
    expected: Expected | None, object_: str, operation: Operation, key: str, *, parts: Sequence[int] = (), **data: Any
) -> Message:
    headers = [
        (EXPECTED, (expected or "increment").encode()),
        (MAKES, _fold(data.get("title", "")).encode()),
        (PARTS, " ".join(map(str, parts)).encode()),
    ]
    event = make_record(object=object_, operation="insert", key=None, data=data)
    if operation != "insert":  # an upsert without a key, which only this vendor has
        event = msgspec.structs.replace(event, operation=operation)
    return Message(key.encode(), encode_event(event), headers)


def _fold(title: str) -> str:
    return " ".join(title.split())


def _make_vendor(rng: random.Random) -> BloomGrowth:
    return BloomGrowth(
        Settings(
            requests_per_second=rng.choice((None, None, 100.0)),
            normalizes_titles=rng.random() < 0.5,
            has_one_token_per_user=rng.random() < 0.3,
        )
    )


def _settings(rng: random.Random, stage: Stage) -> Mapping[str, Any]:
    """Return where the token is kept: where it must be shared, or one writer would end another's session."""
    vendor = stage.app.vendor
    assert isinstance(vendor, BloomGrowth)
    is_shared = vendor.settings.has_one_token_per_user or rng.random() < 0.5
    return {"to": {"token_path": str(stage.directory / "token")} if is_shared else {}}


def _source_of(published: Sequence[ConsumerRecord]) -> SourceOf:
    places: dict[str, list[Place]] = {}
    for message in published:
        try:
            title = _fold(msgspec.json.decode(message.value)["data"]["title"])
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
            continue
        places.setdefault(title, []).append((message.partition, message.offset))
    last: dict[tuple[str, str], Place | None] = {}

    def find(entry: LedgerEntry) -> Place | None:
        """Find it by its title; what has none belongs to the last titled one of the same object."""
        if entry.effect.startswith("REFUSED"):
            return None
        if entry.object == "attendee":
            return last.get(("meeting", entry.key.split("/")[0]))
        if entry.identifier is not None:
            found = places.get(_fold(entry.identifier), [(-1, -1)])
            last[entry.object, entry.key] = found[0] if len(found) == 1 else None
        return last.get((entry.object, entry.key))

    return find


async def _made(url: str) -> Sequence[Made]:
    async with BloomGrowthControl(url) as control:
        created = await control.created()
    return [
        Made(_fold(one.title), str(one.id), frozenset(map(str, one.attendees or ())))  # UNSET is false
        for one in created
    ]


def _post(make: Any, **options: Any) -> Any:
    """Return a maker of faults that meet creates and other POSTs."""
    return lambda rng, _: make(
        method="POST", path="/api/v1", times=rng.randint(1, 4), skip=rng.randint(0, 9), **options
    )


def _late(rng: random.Random, writes: Writes) -> Standing:
    """Apply a request after its client has left."""
    seconds = rng.uniform(2.2, LATEST_S)
    return Latency(**writes._asdict(), times=rng.randint(1, 4), skip=rng.randint(0, 9), seconds=seconds)


def _storm(rng: random.Random, writes: Writes) -> Standing:
    wait_s = rng.choice((0.0, 0.3, 1.0))
    return Status(**writes._asdict(), status=429, times=rng.randint(5, 30), retry_after_s=wait_s)


def _forbidden(rng: random.Random, writes: Writes) -> Standing:
    """Answer all calls as a firewall does."""
    body = rng.choice((PAGE, ""))
    return Status(**writes._asdict(), status=403, body=body, content_type="text/html", times=rng.randint(5, 30))


def _pages(rng: random.Random, writes: Writes) -> Selection:
    """Answer with a page and a good status, before the work is done or after it."""
    times, skip = rng.randint(2, 8), rng.randint(0, 9)
    if rng.random() < 0.5:
        return Status(**writes._asdict(), status=200, body=PAGE, content_type="text/html", times=times, skip=skip)
    return AnswerAfter(
        method="POST", path="/api/v1", status=rng.choice((200, 500, 502)), body=PAGE, times=times, skip=skip
    )


def _vanish(rng: random.Random, _: Writes) -> Selection:
    path = "/api/v1/L10/*/attendees"
    return VanishMeeting(method="POST", path=path, times=rng.randint(1, 4), skip=rng.randint(0, 9))


def _ignored(rng: random.Random, _: Writes) -> Selection:
    return IgnoreWrite(path="/api/v1/issues/*/complete", times=rng.randint(1, 3), skip=rng.randint(0, 9))


async def _expire_tokens(scene: Scene) -> None:
    """End all sessions, once: a second time within a minute two users would seem to end each other's."""
    await scene.some_time(1.0, 4.0)
    scene.stage.app.vendor.expire_tokens()


async def _lose_many(scene: Scene) -> None:
    """Lose requests and answers of creates again and again."""
    for _ in range(4):
        await faults(_post(DropBefore), lost_answers)(scene)


everything = three_of(
    kill_writers,
    stop_the_clock,
    restart_writers,
    _expire_tokens,
    faults(lost_answers, outage),
    faults(_late, _storm),
    faults(_post(DropBefore), cut_answers),
)


HARMS: dict[str, Harm] = {
    "nothing": Harm(),
    **deaths(*(point for point in KillPoint if point != KillPoint.COLLECTED)),
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
    "storm": Harm(faults(_storm, _storm)),
    "forbidden": Harm(faults(_forbidden, _forbidden), may_refuse=True),
    "lost-requests": Harm(faults(_post(DropBefore), _post(DropBefore))),
    "lost-answers": Harm(faults(lost_answers, lost_answers)),
    "lost-and-killed": Harm(together(_lose_many, kill_writers)),
    "lost-and-restarted": Harm(together(_lose_many, restart_writers)),
    "lost-and-scaled": Harm(together(_lose_many, scale)),
    "cut-answers": Harm(faults(cut_answers, cut_answers)),
    "late-answers": Harm(faults(late_answers)),
    "late-requests": Harm(faults(_late, _late)),
    "late-and-killed": Harm(together(faults(_late, _late), kill_writers)),
    "expired-tokens": Harm(_expire_tokens),
    "expired-and-killed": Harm(together(_expire_tokens, kill_writers)),
    "pages": Harm(faults(_pages, _pages), may_refuse=True),
    "not-by-the-vendor": Harm(faults(not_by_the_vendor, not_by_the_vendor, not_by_the_vendor), may_refuse=True),
    "endless-answers": Harm(faults(endless_answers, endless_answers)),
    "meetings-vanish": Harm(together(faults(_vanish, _vanish), kill_writers), may_refuse=True),
    "ignored-writes": Harm(
        faults(lambda rng, _: IgnoreWrite(path="/api/v1/issues/*/complete", times=rng.randint(1, 3)))
    ),
    "partitions-added": Harm(together(add_partitions, kill_writers)),
    "aborts": Harm(kill_writers, publish=publish_in_transactions),
    "everything": Harm(everything),
}


BLOOM_GROWTH = Cast(
    make_vendor=_make_vendor,
    kind=StagedKind({"kind": "bloom_growth", "user_name": Settings().user_name, "password": Settings().password}),
    writes=Writes(path="/api/v1"),
    harms=HARMS,
    messages=messages,
    settings=_settings,
    heal=nothing_left,
    source_of=_source_of,
    made=_made,
    made_ref="meeting",
)
