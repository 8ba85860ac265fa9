"""Orders about vendor jobs, kept in the control topic: given by people, carried out by the owners of lanes.

1. A person gives an order: it is written to the partition of each lane in which the batch has open records.
2. All writers read all orders. The owner of a lane carries out those that stand in its partition, now or after a start.
3. The owner writes the result under the same key, and deletes the key once the batch has nothing open in the lane.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

from aiokafka import ConsumerRecord

from sluice.events import VENDOR_JOB_KEY, KafkaRecord, VendorJobOrder, decode_vendor_job_order, encode_event
from sluice.kafka.control_topic import ControlMessage, follow_control, send_control
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.settings import KafkaSettings


class LaneOrder(NamedTuple):
    """The content of one key for one lane; ``order`` is ``None`` where that was deleted."""

    lane: int
    key: bytes
    order: VendorJobOrder | None


class Orders:
    """The orders that stand in the control topic, as far as they were read."""

    def __init__(self) -> None:
        self._standing: dict[tuple[int, bytes], VendorJobOrder] = {}

    def take(self, found: LaneOrder) -> None:
        """Take note of ``found``, which was written behind all others."""
        lane, key, order = found
        place = (lane, key)
        if order is None:
            self._standing.pop(place, None)
        elif order.result is None or not self._waits_for_another(place, order):
            self._standing[place] = order

    def _waits_for_another(self, place: tuple[int, bytes], result: VendorJobOrder) -> bool:
        """Return whether a newer order was given before this ``result`` of an older one was written."""
        standing = self._standing.get(place)
        return standing is not None and standing.result is None and standing.order_id != result.order_id

    @property
    def all(self) -> Sequence[tuple[int, VendorJobOrder]]:
        """The orders with their lanes."""
        return [(lane, order) for (lane, _), order in self._standing.items()]

    def of(self, batch_id: str) -> Sequence[tuple[int, VendorJobOrder]]:
        """Return those about one batch."""
        return [(lane, order) for lane, order in self.all if order.batch_id == batch_id]

    def tells_of(self, batch_id: str) -> bool:
        """Return whether a person has told what became of a lost submit, and that is not carried out yet."""
        return any(order.order in ("attach", "forget") and order.result is None for _, order in self.of(batch_id))

    def aborted_because(self, batch_id: str) -> str | None:
        """Return why and by whom a batch was aborted; ``None`` where nobody of ours did that."""
        for _, order in self.of(batch_id):
            if order.order == "abort" and order.result != "failed":
                return f"{order.reason} (aborted by {order.by})"
        return None


async def write_orders(kafka: KafkaSettings, topic: str, orders: Iterable[tuple[int, VendorJobOrder]]) -> None:
    """Write each order, given or carried out, for its lane. Raises ``KafkaError`` and ``KafkaUnreachable``."""
    messages = [ControlMessage(lane, order.key, encode_event(order)) for lane, order in orders]
    await send_control(kafka, topic, messages)


async def delete_order(kafka: KafkaSettings, topic: str, lane: int, order: VendorJobOrder) -> None:
    """Delete what stands under the key of ``order``. Raises likewise."""
    await send_control(kafka, topic, [ControlMessage(lane, order.key, None)])


async def follow_orders(
    kafka: KafkaSettings, topic: str, lanes: Iterable[int], foreign: ForeignMessages, *, until_end: bool = False
) -> AsyncGenerator[LaneOrder | None, None]:
    """Yield all that Kafka has kept, then ``None``, then, unless ``until_end``, whatever is new. Raises likewise."""
    async with aclosing(follow_control(kafka, topic, lanes, foreign, until_end=until_end)) as control:
        async for messages in control:
            if messages is None:
                yield None
                continue
            for message in messages:
                if (found := _read(message, foreign)) is not None:
                    yield found


async def read_orders(kafka: KafkaSettings, topic: str, lanes: Iterable[int]) -> Orders:
    """Return the orders that stand now. Raises likewise."""
    orders = Orders()
    async for found in follow_orders(kafka, topic, lanes, ForeignMessages(), until_end=True):
        if found is not None:
            orders.take(found)
    return orders


async def await_results(
    kafka: KafkaSettings, topic: str, given: Sequence[tuple[int, VendorJobOrder]], wait_s: float
) -> Mapping[tuple[int, str], VendorJobOrder]:
    """Return the results of ``given`` by lane and batch id, as soon as all are there, or those of so many seconds."""
    left = {(lane, order.order_id) for lane, order in given}
    results: dict[tuple[int, str], VendorJobOrder] = {}
    try:
        async with asyncio.timeout(wait_s):
            lanes = {lane for lane, _ in given}
            async with aclosing(follow_orders(kafka, topic, lanes, ForeignMessages())) as orders:
                async for found in orders:
                    if found is None or (order := found.order) is None or order.result is None:
                        continue
                    if (found.lane, order.order_id) in left:
                        results[found.lane, order.batch_id] = order
                        left.discard((found.lane, order.order_id))
                    if not left:
                        break
    except TimeoutError:
        pass
    return results


def _order(message: KafkaRecord) -> VendorJobOrder:
    return decode_vendor_job_order(message.value or b"")


def _read(message: ConsumerRecord, foreign: ForeignMessages) -> LaneOrder | None:
    key = message.key
    if key is None or not key.startswith(VENDOR_JOB_KEY):
        return None
    if message.value is None:
        return LaneOrder(message.partition, key, None)
    order = foreign.read(message, _order)
    return None if order is None else LaneOrder(message.partition, key, order)
