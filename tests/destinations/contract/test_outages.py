"""An outage is waited for: no record is lost, none is sent twice, and no attempt is used up."""

from tests.destinations.contract.kind_stage import KindStage, attempts, describe, is_delivered
from tests.destinations.contract.kinds import every_kind, every_kind_with_tokens, every_verb
from tests.destinations.contract.sandboxed_kind import Verb
from tests.destinations.contract.watched_app import Act, Call, Gate, answer, drop
from tests.support.writer_process import eventually

COUNT = 12
ASKED_AGAIN = 2
RETRY_AFTER_S = 2
"""Longer than the pauses that are made without being asked."""
HEARD_WITHIN_S = 0.2
"""A call that another task makes at the same moment has not heard of the first one's answer."""


async def _held(stage: KindStage, verb: Verb, outage: Act, name: str, times: int) -> list[Call]:
    """Deliver records while so many calls of ``verb`` meet an outage; return all of its calls."""
    kind, app = stage.kind, stage.app
    if verb.role == "log in":
        app.vendor.expire_tokens()
    if verb.role == "look up":
        # A batch that did not arrive, and one that did, are looked up by different calls.
        last = kind.verbs_of("write")[-1]
        app.intervene(kind.chosen(last), before=drop, times=1)
        if last.doubt == "never":
            app.intervene(kind.chosen(last), after=drop, skip=1, times=1)
    outages = app.intervene(kind.chosen(verb), before=outage, times=times)
    begins_at = len(app.calls)
    keys = [f"{name}-{verb.name}-{n}" for n in range(COUNT)]
    # Where nobody can tell, an unsafe record would end as ambiguous: an outage may be a proxy's word.
    is_unsafe = verb.doubt != "always"
    receipts = await stage.deliver([kind.insert(key) if is_unsafe else kind.upsert(key, 1) for key in keys])
    assert len(outages.acted) == times
    assert all(map(is_delivered, receipts)), describe(receipts)
    assert attempts(receipts) == {1}
    assert not is_unsafe or stage.times_applied(keys) == [1] * COUNT
    return [call for call in app.calls[begins_at:] if kind.chosen(verb)(call)]


@every_verb("log in", "write", "ask", "look up")
async def test_503_is_waited_for(shared: KindStage, verb: Verb) -> None:
    await _held(shared, verb, answer(503), "503", ASKED_AGAIN)


@every_verb("log in", "write", "ask", "look up")
async def test_429_is_waited_for_as_long_as_it_asks(shared: KindStage, verb: Verb) -> None:
    calls = await _held(shared, verb, answer(429, retry_after_s=RETRY_AFTER_S), "429", verb.at_once)
    told_s = calls[0].ended_s
    later = [call.began_s for call in calls[verb.at_once :] if call.began_s > told_s + HEARD_WITHIN_S]
    assert later[0] - told_s >= RETRY_AFTER_S - HEARD_WITHIN_S


@every_kind
async def test_a_refused_connection_is_waited_for(shared: KindStage) -> None:
    await shared.stage.close_vendor()
    try:
        keys = [f"closed-{n}" for n in range(COUNT)]
        places = await shared.stage.publish([shared.kind.insert(key) for key in keys])
        await shared.writer.shows(lambda status: status["failures_in_a_row"] > 1)
    finally:
        await shared.stage.open_vendor()
    receipts = await shared.stage.settled(places)
    assert attempts(receipts.values()) == {1}
    assert shared.times_applied(keys) == [1] * COUNT


@every_kind_with_tokens
async def test_a_token_is_renewed_once_while_several_calls_are_in_flight(shared: KindStage) -> None:
    kind, app = shared.kind, shared.app
    await shared.deliver([kind.upsert("token", 1)])
    gate = Gate()
    waiting = app.intervene(kind.chosen(*kind.verbs_of("write")), before=gate.wait, times=2)
    keys = [f"renewed-{n}" for n in range(100)]
    places = await shared.stage.publish([kind.insert(key) for key in keys])

    async def two_are_waiting() -> bool:
        return len(waiting.acted) == 2

    await eventually(two_are_waiting)
    app.vendor.expire_tokens()
    logins_before = sum(map(kind.chosen(*kind.verbs_of("log in")), app.calls))
    gate.open()
    receipts = await shared.stage.settled(places)
    assert sum(map(kind.chosen(*kind.verbs_of("log in")), app.calls)) == logins_before + 1
    assert attempts(receipts.values()) == {1}
    assert shared.times_applied(keys) == [1] * 100
