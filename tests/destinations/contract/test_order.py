"""What the vendor may still apply later is never overtaken by a newer value, whoever owns the lane by then."""

from tests.destinations.contract.kind_stage import LANES, KindStage, describe, is_delivered
from tests.destinations.contract.kinds import every_answering_kind, every_job_kind
from tests.destinations.contract.sandboxed_kind import TO
from tests.destinations.contract.watched_app import wait_s
from tests.support.writer_process import eventually

COUNT = 10
OLD, NEW = 1, 2


@every_job_kind
async def test_a_newer_value_waits_for_a_slow_job_over_a_rebalance(own: KindStage) -> None:
    kind, vendor = own.kind, own.app.vendor
    kind.hold_jobs(vendor)
    keys, inserted = [f"late-{n}" for n in range(COUNT)], [f"once-{n}" for n in range(COUNT)]
    places = await own.stage.publish([*(kind.upsert(key, OLD) for key in keys), *map(kind.insert, inserted)])

    async def is_with_the_vendor() -> bool:
        return kind.items_sent(own.app.calls) == 2 * COUNT and kind.jobs_waiting(vendor) > 0

    await eventually(is_with_the_vendor)
    first, second = own.writer, own.start_writer()
    await second.owns(LANES // 2)
    places += await own.stage.publish([kind.upsert(key, NEW) for key in keys])
    await first.stop()
    await second.owns(LANES)
    assert {own.value(key) for key in keys} == {None}
    assert kind.items_sent(own.app.calls) == 2 * COUNT
    kind.release_jobs(vendor)
    receipts = (await own.stage.settled(places)).values()
    assert all(map(is_delivered, receipts)), describe(receipts)
    assert {own.value(key) for key in keys} == {NEW}
    assert own.times_applied(inserted) == [1] * COUNT


@every_answering_kind
async def test_a_newer_value_waits_for_a_late_request_over_a_rebalance(own: KindStage) -> None:
    kind = own.kind
    first, second = own.writer, own.start_writer()
    await second.owns(LANES // 2)
    (write,) = [verb for verb in kind.verbs if verb.has_items]
    late = own.app.intervene(kind.chosen(write), before=wait_s(TO["timeout_s"] + 0.7 * TO["settle_s"]), times=LANES)
    keys = [f"late-{lane}" for lane in range(LANES)]
    places = await own.stage.publish([kind.upsert(key, OLD)._replace(partition=n) for n, key in enumerate(keys)])

    async def all_are_on_their_way() -> bool:
        return len(late.acted) == LANES

    await eventually(all_are_on_their_way)
    places += await own.stage.publish([kind.upsert(key, NEW)._replace(partition=n) for n, key in enumerate(keys)])
    await first.stop()
    receipts = (await own.stage.settled(places)).values()
    assert [call.status for call in late.acted] == [200] * LANES
    assert all(map(is_delivered, receipts)), describe(receipts)
    assert {own.value(key) for key in keys} == {NEW}
