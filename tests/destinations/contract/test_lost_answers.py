"""An answer is lost: what must not be applied twice is found, or handed to a person; everything else is delivered."""

import pytest

from tests.destinations.contract.kind_stage import KindStage, attempts, describe, is_delivered, is_in_doubt
from tests.destinations.contract.kinds import every_verb
from tests.destinations.contract.sandboxed_kind import Verb
from tests.destinations.contract.watched_app import Act, answer, drop
from tests.support.stage import code_of

COUNT = 6
PROXYS_PAGE = answer(503, body="<html><h1>Sorry</h1></html>", content_type="text/html")


@every_verb("write", "ask")
async def test_a_call_that_did_not_arrive_is_made_again_or_handed_to_a_person(shared: KindStage, verb: Verb) -> None:
    lost = shared.app.intervene(shared.kind.chosen(verb), before=drop, times=1)
    keys = [f"before-{verb.name}-{n}" for n in range(COUNT)]
    receipts = await shared.deliver([shared.kind.insert(key) for key in keys])
    assert lost.acted
    assert attempts(receipts) <= {1}
    assert shared.times_applied(keys) == [int(is_delivered(receipt)) for receipt in receipts]
    doubtful = [receipt for receipt in receipts if not is_delivered(receipt)]
    assert bool(doubtful) == (shared.kind.has_unsafe and verb.doubt == "always"), describe(receipts)
    assert all(map(is_in_doubt, doubtful)), describe(receipts)
    assert {code_of(receipt) for receipt in doubtful} <= shared.kind.in_doubt


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(drop, id="by a reset connection"),
        pytest.param(PROXYS_PAGE, id="to a page of a proxy which says 503"),
    ],
)
@every_verb("write", "ask")
async def test_a_call_whose_answer_is_lost_is_not_repeated_on_a_guess(shared: KindStage, verb: Verb, loss: Act) -> None:
    kind = shared.kind
    lost = shared.app.intervene(kind.chosen(verb), after=loss, times=1)
    name = f"after-{verb.name}-{len(shared.app.calls)}"
    inserted, upserted = ([f"{name}-{word}-{n}" for n in range(COUNT)] for word in ("insert", "upsert"))
    receipts = await shared.deliver([*map(kind.insert, inserted), *(kind.upsert(key, 3) for key in upserted)])
    assert lost.acted
    assert shared.times_applied(inserted) == [1] * COUNT
    assert {shared.value(key) for key in upserted} == {3}
    assert all(map(is_delivered, receipts[COUNT:])), describe(receipts)
    doubtful = [receipt for receipt in receipts if is_in_doubt(receipt)]
    assert bool(doubtful) == (kind.has_unsafe and verb.doubt != "never"), describe(receipts)
    assert {code_of(receipt) for receipt in doubtful} <= kind.in_doubt
    assert all(is_delivered(receipt) or is_in_doubt(receipt) for receipt in receipts), describe(receipts)
