"""The orders about vendor jobs of one destination, as a writer follows and answers them."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from sluice.events import VendorJobOrder
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.settings import KafkaSettings
from sluice.vendor_jobs.orders import LaneOrder, Orders, delete_order, follow_orders, write_orders


class OrderBook:
    """The orders of all lanes, ours and others'."""

    def __init__(
        self, kafka: KafkaSettings, topic: str, lanes: Iterable[int], count_foreign: Callable[[str], None]
    ) -> None:
        """Follow the control topic ``topic`` for ``lanes``, which are all that there are."""
        self._kafka = kafka
        self._topic = topic
        self._lanes = tuple(lanes)
        self._foreign = ForeignMessages(count_foreign)
        self._deleted: set[tuple[int, str]] = set()
        """Lanes and order ids that we have deleted, which are read only later."""
        self.orders = Orders()
        self.known = asyncio.Event()
        """Set once all is read that was ordered before."""
        self.changed = asyncio.Event()
        """Set when there is something new."""

    async def run(self) -> None:
        """Follow until cancelled. Raises ``KafkaError`` and ``KafkaUnreachable``."""
        async for found in follow_orders(self._kafka, self._topic, self._lanes, self._foreign):
            if found is None:
                self.known.set()
            else:
                self._take(found)
            self.changed.set()

    async def answer(self, lane: int, order: VendorJobOrder, result: Literal["done", "failed"], message: str) -> None:
        """Tell what became of ``order`` in ``lane``. Raises likewise."""
        answer = msgspec.structs.replace(order, result=result, message=message)
        await write_orders(self._kafka, self._topic, [(lane, answer)])
        self.orders.take(LaneOrder(lane, order.key, answer))

    async def delete(self, lane: int, order: VendorJobOrder) -> None:
        """Delete ``order`` in ``lane``: its batch has nothing open there. Raises likewise."""
        await delete_order(self._kafka, self._topic, lane, order)
        self._deleted.add((lane, order.order_id))
        self.orders.take(LaneOrder(lane, order.key, None))

    def _take(self, found: LaneOrder) -> None:
        if found.order is None or (found.lane, found.order.order_id) not in self._deleted:
            self.orders.take(found)
