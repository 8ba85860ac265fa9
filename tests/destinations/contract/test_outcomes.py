"""Each item has its own outcome, no limit is overshot, and a refused batch costs few requests."""

from math import ceil, log2

from tests.destinations.contract.kind_stage import MAX_BYTES, MAX_ITEMS, KindStage, attempts, describe, is_delivered
from tests.destinations.contract.kinds import every_kind, every_kind_that_refuses
from tests.destinations.contract.watched_app import wait_s
from tests.support.stage import code_of

SAMPLES = 8
"""Requests that a bisection may make beyond isolating one item: docs/architecture.md."""


@every_kind
async def test_each_item_has_its_own_outcome(shared: KindStage) -> None:
    kind = shared.kind
    keys = [f"outcome-{n}" for n in range(90)]
    three = zip(keys[0::3], keys[1::3], keys[2::3], strict=True)
    receipts = await shared.deliver(
        [one for keys in three for one in (kind.insert(keys[0]), kind.bad(keys[1]), kind.upsert(keys[2], 7))]
    )
    assert all(map(is_delivered, receipts[0::3] + receipts[2::3])), describe(receipts)
    assert {code_of(receipt) for receipt in receipts[1::3]} == {kind.rejected}
    assert shared.times_applied(keys[0::3]) == [1] * 30
    assert {shared.value(key) for key in keys[2::3]} == {7}
    assert attempts(receipts) == {1}


@every_kind
async def test_no_request_has_more_items_or_bytes_than_a_window_and_no_more_are_in_flight(shared: KindStage) -> None:
    kind, app = shared.kind, shared.app
    writes = kind.chosen(*kind.verbs_of("write"))
    app.intervene(writes, before=wait_s(0.05))
    begins_at = len(app.calls)
    await shared.deliver([kind.upsert(f"limit-{n}" + "x" * (n % 200), n) for n in range(300)])
    with_items = kind.chosen(*[verb for verb in kind.verbs if verb.has_items])
    calls = [call for call in app.calls[begins_at:] if with_items(call)]
    bodies = [call.body for call in calls]
    items = [kind.count_items(body) for body in bodies]
    # A busy machine may add a batch to a job that is closed by then: it is refused, and added to the next one.
    taken = [call for call in calls if call.status is not None and call.status < 300]
    assert sum(kind.count_items(call.body) for call in taken) == 300
    assert max(items) <= MAX_ITEMS
    assert max(len(body) - kind.framing_bytes(count) for body, count in zip(bodies, items, strict=True)) <= MAX_BYTES
    limit = kind.open_account().limits.max_concurrent
    assert min(limit, 2) <= app.most_at_once(writes) <= limit


@every_kind_that_refuses
async def test_a_record_that_spoils_its_batch_is_isolated_with_few_requests(shared: KindStage) -> None:
    kind, app = shared.kind, shared.app
    mates = [kind.mate(f"mate-{n}")._replace(partition=0) for n in range(MAX_ITEMS)]
    spoiler = kind.spoiler("spoiler")._replace(partition=0)
    begins_at = len(app.calls)
    receipts = await shared.deliver([*mates[:13], spoiler, *mates[13:]])
    with_items = kind.chosen(*[verb for verb in kind.verbs if verb.has_items])
    requests = sum(map(with_items, app.calls[begins_at:]))
    letter = receipts.pop(13)
    assert code_of(letter) == kind.refused
    assert all(map(is_delivered, receipts)), describe(receipts)
    assert attempts(receipts) == {1}
    batches = 3  # two windows, of which one is closed by its age
    assert requests <= batches + 2 * ceil(log2(MAX_ITEMS)) + SAMPLES
