"""The verbs of a kind that runs jobs, without Kafka: all of them but submitting may be repeated."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from math import inf

import pytest

from sluice.destinations.contract import Ambiguous, Unavailable
from sluice.destinations.vendor_jobs import JobState, LostSubmit, Over, Refs, Running, Sent, Upload
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.contract.kinds import every_job_kind, every_verb_of_jobs
from tests.destinations.contract.opened_account import OpenedAccount, event_of
from tests.destinations.contract.sandboxed_kind import Verb
from tests.destinations.contract.watched_app import Gate, Intervention, drop
from tests.support.factories import NOON, encode_batch, send_now
from tests.support.writer_process import eventually

COUNT = 6
KEYS = [f"k-{n}" for n in range(COUNT)]


def _batch(opened: OpenedAccount) -> Batch:
    return encode_batch(opened.account, [event_of(opened.kind.insert(key)) for key in KEYS])


def _sent(opened: OpenedAccount) -> Sent:
    """Read again what was submitted."""

    async def read() -> AsyncGenerator[Item, None]:
        for item in _batch(opened).items:
            yield item

    return read


class Names:
    """The names that a vendor has given to a batch, as the journal would have them."""

    def __init__(self) -> None:
        self.refs: dict[str, str] = {}

    async def __call__(self, refs: Refs) -> None:
        self.refs.update(refs)


async def _submit(opened: OpenedAccount) -> Refs:
    batch, names = _batch(opened), Names()
    refs = await opened.account.submit(batch, await opened.account.prepare(batch), names, send_now)
    assert names.refs
    return {**names.refs, **refs}


async def _states(opened: OpenedAccount, refs: Refs) -> list[JobState]:
    return [state async for found, state in opened.account.poll([refs]) if found == refs]


async def _over(opened: OpenedAccount, refs: Refs) -> Over:
    async def look() -> list[Over]:
        return [state for state in await _states(opened, refs) if isinstance(state, Over)]

    return (await eventually(look, within_s=30))[0]


async def _results(opened: OpenedAccount, refs: Refs, over: Over) -> Mapping[object, Outcome | None]:
    return {name: outcome async for name, outcome in opened.account.collect(refs, over, COUNT, _sent(opened))}


async def _nothing_waits(opened: OpenedAccount) -> None:
    """Wait until the vendor has run all that it may ever run."""

    async def look() -> bool:
        await opened.account.check()  # a stand-in does what is due when it is asked something
        return opened.kind.jobs_waiting(opened.app.vendor) == 0

    await eventually(look, within_s=30)


def _lost(batch: Batch, upload: Upload, refs: Refs, opened: OpenedAccount) -> LostSubmit:
    return LostSubmit(
        batch_key=batch.batch_key,
        fingerprint=upload.fingerprint,
        refs=dict(refs),
        requested_at=NOON,
        lost_at_s=asyncio.get_running_loop().time(),
        vendor_at=opened.account.vendor_at,
    )


@every_job_kind
async def test_preparing_twice_makes_the_same_upload(opened: OpenedAccount) -> None:
    first, second = [await opened.account.prepare(_batch(opened)) for _ in range(2)]
    assert first == second
    batch = _batch(opened)
    fewer = encode_batch(opened.account, [item.event for item in batch.items[1:]])
    assert (await opened.account.prepare(fewer)).fingerprint != first.fingerprint


@every_job_kind
async def test_polling_and_collecting_twice_tells_the_same(opened: OpenedAccount) -> None:
    refs = await _submit(opened)
    assert set(refs) >= set(opened.account.ref_names)
    over = await _over(opened, refs)
    assert await _states(opened, refs) == [over]
    results = await _results(opened, refs, over)
    assert await _results(opened, refs, over) == results
    assert (over.processed, over.failed, over.aborted) == (COUNT, 0, False)
    assert {outcome.fate for outcome in results.values() if outcome} == {Fate.DELIVERED}
    names = range(COUNT) if opened.account.joins_by == "row" else [one.encoded.identity for one in _batch(opened).items]
    assert set(results) == set(names)
    assert opened.times_applied(KEYS) == [1] * COUNT


@every_job_kind
async def test_a_job_that_waits_is_running_and_listed(opened: OpenedAccount) -> None:
    opened.kind.hold_jobs(opened.app.vendor)
    refs = await _submit(opened)
    (state,) = await _states(opened, refs)
    assert isinstance(state, Running)
    listed = [job async for job in opened.account.jobs()]
    assert [job.over for job in listed if job.refs.items() <= dict(refs).items()] == [False] * opened.kind.lists_jobs


@every_job_kind
async def test_an_aborted_job_applies_nothing_and_says_so_of_each_item(opened: OpenedAccount) -> None:
    opened.kind.hold_jobs(opened.app.vendor)
    refs = await _submit(opened)
    for _ in range(2):
        await opened.account.abort(refs)
    opened.kind.release_jobs(opened.app.vendor)
    over = await _over(opened, refs)
    assert over.aborted
    assert set((await _results(opened, refs, over)).values()) == {None}
    assert opened.times_applied(KEYS) == [0] * COUNT


@every_job_kind
async def test_closing_and_aborting_a_job_that_is_over_takes_nothing_away(opened: OpenedAccount) -> None:
    refs = await _submit(opened)
    over = await _over(opened, refs)
    for _ in range(2):
        await opened.account.abort(refs)
        await opened.account.close(refs)
    assert opened.times_applied(KEYS) == [1] * COUNT
    assert over.processed == COUNT


@pytest.mark.parametrize(
    "arrives",
    [
        pytest.param("never", id="never arrives"),
        pytest.param("late", id="arrives when it was looked for"),
        pytest.param("at once", id="waits to run"),
        pytest.param("long ago", id="has run"),
    ],
)
@every_verb_of_jobs("write")
async def test_a_lost_submit_is_found_or_ended_and_finding_may_be_repeated(
    opened: OpenedAccount, verb: Verb, arrives: str
) -> None:
    kind, account, gate = opened.kind, opened.account, Gate()
    before = {"never": drop, "late": gate.wait}.get(arrives)
    lost = opened.app.intervene(kind.chosen(verb), before=before, after=None if before else drop, times=1)
    batch, names = _batch(opened), Names()
    upload = await account.prepare(batch)
    with pytest.raises((Ambiguous, Unavailable)) as loss:
        await account.submit(batch, upload, names, send_now)
    if arrives == "long ago":
        await _nothing_waits(opened)
    found = again = None
    if isinstance(loss.value, Ambiguous):
        submit = _lost(batch, upload, names.refs, opened)
        found, again = await _find(opened, submit), await _find(opened, submit)
    gate.open()
    await eventually(lambda: _is_answered(lost), within_s=10)
    await _nothing_waits(opened)
    assert found == again
    applied = opened.times_applied(KEYS)
    if found is NOBODY_KNOWS:
        assert verb.doubt != "never"
        assert max(applied) <= 1
    else:
        assert applied == [0 if found is None else 1] * COUNT


NOBODY_KNOWS: Refs = {"nobody": "knows"}


async def _find(opened: OpenedAccount, lost: LostSubmit) -> Refs | None:
    """Look for a lost submit until the vendor can tell, or it is certain that it never can."""
    while True:
        try:
            return await opened.account.find(lost, [], _sent(opened))  # type: ignore[no-any-return]  # an account of any kind
        except Unavailable:
            await asyncio.sleep(0.1)
        except Ambiguous:
            return NOBODY_KNOWS


async def _is_answered(lost: Intervention) -> bool:
    return all(call.ended_s < inf for call in lost.acted)
