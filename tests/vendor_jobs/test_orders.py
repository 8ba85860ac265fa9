"""Orders: the last one of a key counts, until it is deleted."""

import msgspec
import pytest

from sluice.client.connection import Connection
from sluice.events import VendorJobOrder
from sluice.kafka.control_topic import ControlMessage, send_control
from sluice.vendor_jobs.orders import (
    LaneOrder,
    Orders,
    await_results,
    delete_order,
    read_orders,
    write_orders,
)
from tests.support.factories import NOON


def _order(order: str = "abort", order_id: str = "one", **fields: str) -> VendorJobOrder:
    return msgspec.convert(
        {"batch_id": "b1", "order": order, "order_id": order_id, "by": "alice", "at": NOON, **fields}, VendorJobOrder
    )


def _taken(*orders: VendorJobOrder | None) -> Orders:
    """All in lane 2, under the key of an abort where there is none."""
    found = Orders()
    for order in orders:
        found.take(LaneOrder(2, (order or _order()).key, order))
    return found


def test_reason_of_an_abort_names_the_person() -> None:
    assert _taken(_order(reason="wrong file")).aborted_because("b1") == "wrong file (aborted by alice)"


def test_reason_of_an_abort_outlives_its_result_and_other_orders() -> None:
    orders = _taken(_order(reason="wrong file", result="done"), _order("collect", "two"))
    assert orders.aborted_because("b1") == "wrong file (aborted by alice)"
    assert [order.order for _, order in orders.of("b1")] == ["abort", "collect"]


def test_an_abort_that_has_failed_or_is_of_another_batch_is_no_reason() -> None:
    orders = _taken(_order(reason="wrong file", result="failed"))
    assert orders.aborted_because("b1") is None
    assert orders.aborted_because("b2") is None


def test_a_result_does_not_hide_an_order_that_was_given_meanwhile() -> None:
    newer = _order(order_id="two")
    assert _taken(_order(), newer, _order(result="failed")).all == [(2, newer)]


@pytest.mark.parametrize(
    ("order", "tells"),
    [
        pytest.param(_order("attach"), True, id="where it went"),
        pytest.param(_order("forget"), True, id="that nobody will know"),
        pytest.param(_order("attach", result="failed"), False, id="carried out already"),
        pytest.param(_order("abort"), False, id="only that it must not go on"),
    ],
)
def test_who_attaches_or_forgets_a_lost_submit_tells_of_it(order: VendorJobOrder, *, tells: bool) -> None:
    assert _taken(order).tells_of("b1") is tells
    assert not _taken(order).tells_of("b2")


def test_a_deleted_order_is_gone() -> None:
    assert _taken(_order(), None).all == []


async def test_orders_are_read_by_lane_until_they_are_deleted(connection: Connection) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    kept, deleted = _order(), _order("forget")
    await write_orders(kafka, topic, [(0, kept), (2, kept), (2, deleted)])
    await send_control(kafka, topic, [ControlMessage(1, kept.key, b"no order")])
    await delete_order(kafka, topic, 2, deleted)
    assert sorted(lane for lane, _ in (await read_orders(kafka, topic, range(3))).all) == [0, 2]


async def test_results_are_awaited_lane_by_lane(connection: Connection) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    given, other = _order(), _order(order_id="older", result="failed")
    done = msgspec.structs.replace(given, result="done", message="ended")
    await write_orders(kafka, topic, [(0, other), (0, given), (1, given), (0, done)])
    await delete_order(kafka, topic, 0, done)
    assert await await_results(kafka, topic, [(0, given)], 20) == {(0, "b1"): done}
    assert await await_results(kafka, topic, [(0, given), (1, given)], 1) == {(0, "b1"): done}
