"""A writer is killed at each of its calls in turn: the next one applies nothing twice, and loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.destinations.contract.kind_stage import KindStage, describe, is_delivered, is_in_doubt
from tests.destinations.contract.kinds import every_kind
from tests.destinations.contract.sandboxed_kind import SandboxedKind
from tests.destinations.contract.watched_app import Call, Choice, Dropped
from tests.support.stage import Place, code_of
from tests.support.writer_process import eventually

COUNT = 4
MAX_CALLS = 30
pytestmark = pytest.mark.timeout(300)  # a few seconds for each call of a batch


def _any_call(_: object) -> bool:
    return True


def _changes_something(call: Call) -> bool:
    """Choose calls for which it matters whether they were applied."""
    return not call.label.startswith("GET")


def _but_logins(kind: SandboxedKind, chosen: Choice) -> Choice:
    """Choose the same without logins: after each of them comes what the next writer begins with."""
    is_login = kind.chosen(*kind.verbs_of("log in"))
    return lambda call: chosen(call) and not is_login(call)


class Death:
    """SIGKILL for the writer at a call that is about to be applied, or answered: the n-th from now on of a choice."""

    def __init__(self, own: KindStage, number: int, chosen: Choice = _any_call, *, has_arrived: bool = True) -> None:
        self._own = own
        self._victim = own.writer
        self._done = "vendor job collected" if own.kind.runs_jobs else "batch settled"
        self._done_before = len(self._victim.logged(self._done))
        self._struck = asyncio.Event()
        before, after = (None, self._strike) if has_arrived else (self._strike, None)
        own.app.intervene(chosen, before=before, after=after, skip=number - 1, times=1)

    async def came(self) -> bool:
        """Wait until it has come, or the writer has settled a batch; return whether it has come."""

        async def is_over() -> bool:
            return self._struck.is_set() or len(self._victim.logged(self._done)) > self._done_before

        await eventually(is_over)
        self._own.app.leave_alone()
        return self._struck.is_set()

    async def _strike(self, _: Call) -> None:
        self._struck.set()
        await self._victim.kill()
        raise Dropped


class Records:
    """A few records of both sorts."""

    def __init__(self, own: KindStage, name: str) -> None:
        self._own = own
        self._inserted, self._upserted = ([f"{name}-{word}-{n}" for n in range(COUNT)] for word in ("insert", "upsert"))
        self._places: list[Place] = []

    async def publish(self) -> None:
        """Publish them all at once."""
        kind = self._own.kind
        messages = [*map(kind.insert, self._inserted), *(kind.upsert(key, 1) for key in self._upserted)]
        self._places = await self._own.stage.publish(messages)

    async def audit(self) -> None:
        """See that each insert was applied once, or may not have been and says so, and that upserts are delivered."""
        own = self._own
        by_place = await own.stage.settled(self._places)
        receipts = [by_place[place] for place in self._places]
        may_be_in_doubt = any(verb.doubt != "never" for verb in own.kind.verbs)
        for applied, receipt in zip(own.times_applied(self._inserted), receipts[:COUNT], strict=True):
            if is_delivered(receipt):
                assert applied == 1
                continue
            assert may_be_in_doubt
            assert is_in_doubt(receipt), describe([receipt])
            assert code_of(receipt) in own.kind.in_doubt
            assert applied <= 1
        assert all(map(is_delivered, receipts[COUNT:])), describe(receipts)
        assert {own.value(key) for key in self._upserted} == {1}


async def _first_that_never_came(
    stages: Sequence[KindStage], dies_at: Callable[[KindStage, int], Awaitable[bool]]
) -> int:
    """Let a writer die at each of its calls, on several stages in turn; return the number of the first too many."""

    async def each(own: KindStage, first: int) -> int:
        for number in range(first, MAX_CALLS, len(stages)):
            if not await dies_at(own, number):
                return number
        return MAX_CALLS

    return min(await asyncio.gather(*(each(own, first) for first, own in enumerate(stages, start=1))))


@pytest.mark.parametrize("has_arrived", [pytest.param(True, id="applied"), pytest.param(False, id="not applied")])
@every_kind
async def test_a_writer_that_is_killed_at_any_call_repeats_and_loses_nothing(
    kind: SandboxedKind, side_by_side: list[KindStage], *, has_arrived: bool
) -> None:
    chosen = _any_call if has_arrived else _but_logins(kind, _changes_something)

    async def dies_at(own: KindStage, number: int) -> bool:
        records, death = Records(own, f"once-{number}"), Death(own, number, chosen, has_arrived=has_arrived)
        await records.publish()
        has_come = await death.came()
        if has_come:
            await own.replace_killed_writer()
        await records.audit()
        return has_come

    met = kind.verbs_of("write", "ask") if has_arrived else kind.verbs_of("write")
    assert len(met) < await _first_that_never_came(side_by_side, dies_at) < MAX_CALLS - 1


@every_kind
async def test_a_writer_that_is_killed_at_any_call_of_its_recovery_repeats_and_loses_nothing(
    kind: SandboxedKind, side_by_side: list[KindStage]
) -> None:
    point_of_no_return = kind.chosen(kind.verbs_of("write")[-1])
    chosen = _but_logins(kind, _any_call)

    async def dies_at(own: KindStage, number: int) -> bool:
        records, first = Records(own, f"twice-{number}"), Death(own, 1, point_of_no_return)
        await records.publish()
        assert await first.came()
        await own.replace_killed_writer()
        has_come = await Death(own, number, chosen).came()
        if has_come:
            await own.replace_killed_writer()
        await records.audit()
        return has_come

    assert 1 < await _first_that_never_came(side_by_side, dies_at) < MAX_CALLS - 1
