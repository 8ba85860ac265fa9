"""OrderBook on a real Kafka: what was ordered before is known first, and what is deleted stays so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from sluice.client.connection import Connection
from sluice.events import VendorJobOrder
from sluice.vendor_jobs.orders import read_orders, write_orders
from sluice.writer.vendor_jobs.order_book import OrderBook
from tests.support.factories import NOON
from tests.support.instant_clock import in_background
from tests.support.writer_process import eventually

ORDER = VendorJobOrder(batch_id="b1", order="abort", order_id="o1", reason="wrong file", by="alice", at=NOON)


@asynccontextmanager
async def _followed(connection: Connection) -> AsyncIterator[OrderBook]:
    book = OrderBook(connection.kafka, connection.topics("crm").control, range(3), lambda _: None)
    async with in_background(book.run()):
        await book.known.wait()
        yield book


async def test_orders_given_before_are_known_first_and_later_ones_are_heard(connection: Connection) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    await write_orders(kafka, topic, [(2, ORDER)])
    async with _followed(connection) as book:
        assert book.orders.all == [(2, ORDER)]
        newer = msgspec.structs.replace(ORDER, order="forget", order_id="o2")
        await write_orders(kafka, topic, [(0, newer)])

        async def look() -> bool:
            return (0, newer) in book.orders.all

        await eventually(look)


async def test_an_answer_is_known_to_others_and_a_deleted_order_to_nobody(connection: Connection) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    async with _followed(connection) as book, _followed(connection) as other:
        await write_orders(kafka, topic, [(1, ORDER)])

        async def look() -> bool:
            return bool(book.orders.all)

        await eventually(look)
        await book.answer(1, ORDER, "done", "ended")

        async def heard() -> str:
            return "".join(order.message for _, order in other.orders.all)

        assert await eventually(heard) == "ended"
        await book.delete(1, ORDER)
        assert book.orders.all == []

        async def gone() -> bool:
            return not other.orders.all

        await eventually(gone)
        assert (await read_orders(kafka, topic, range(3))).all == []
