"""Time from publishing to the receipt at a steady rate, as seen by a program that publishes and consumes."""

import asyncio
import time
from contextlib import suppress
from statistics import quantiles

import msgspec
from aiokafka import AIOKafkaConsumer

from sandbox.control import SandboxControl
from sandbox.faults.fault import Latency
from sluice.client.connection import Connection
from sluice.client.publisher import Publisher
from sluice.events import decode_record, decode_succeeded
from tests.bench.contender import running, writer_command
from tests.bench.stage import DESTINATION, Stage
from tests.bench.workload import message

RECORDS_PER_S = 1000
MAX_AGE_S = 0.2
VENDOR_S = 0.05
_WARM_UP_S = 2.0
_TICK_S = 0.01
_FIRST_RECEIPT_WITHIN_S = 30.0
_LAST_RECEIPT_WITHIN_S = 10.0


class Latencies(msgspec.Struct, kw_only=True):
    """Seconds from ``publish`` to the receipt in a ``read_committed`` consumer."""

    records: int
    receipts: int
    p50_s: float
    p99_s: float
    max_s: float

    @property
    def complete(self) -> bool:
        """True if every record has its receipt."""
        return self.records == self.receipts


async def measure_latency(stage: Stage, seconds: float) -> Latencies:
    """Publish at ``RECORDS_PER_S`` for ``seconds``, to a vendor that takes ``VENDOR_S`` for each request."""
    with stage.vendor() as vendor:
        async with SandboxControl(vendor.url) as control:
            await control.add_fault(Latency(seconds=VENDOR_S, times=None, path="/rest/v2/groups"))
        async with running(writer_command(stage, stage.settings_file(vendor, max_age_s=MAX_AGE_S))):
            return await _Probe(stage).run(seconds)


class _Probe:
    """Publishes and watches the receipts in one process, so that both instants are of one clock."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._published_at_s: list[float] = []
        """By the record's number, which its event id names."""
        self._received_at_s: dict[int, float] = {}

    async def run(self, seconds: float) -> Latencies:
        stage = self._stage
        connection = Connection(kafka=stage.kafka, topic_prefix=stage.prefix, destinations=(DESTINATION,))
        async with stage.new_receipts() as consumer, Publisher(DESTINATION, connection) as publisher:
            receiving = asyncio.create_task(self._receive(consumer))
            try:
                await self._publish(publisher, _FIRST_RECEIPT_WITHIN_S, until_first_receipt=True)
                await self._publish(publisher, _WARM_UP_S)
                first = len(self._published_at_s)
                await self._publish(publisher, seconds)
                await self._await_receipts()
            finally:
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)
        return self._latencies(first)

    async def _publish(self, publisher: Publisher, seconds: float, *, until_first_receipt: bool = False) -> None:
        started_at_s = time.perf_counter()
        done = 0
        while (elapsed_s := time.perf_counter() - started_at_s) < seconds:
            if until_first_receipt and self._received_at_s:
                return
            for _ in range(done, int(elapsed_s * RECORDS_PER_S)):
                await self._publish_one(publisher)
                done += 1
            await asyncio.sleep(_TICK_S)

    async def _publish_one(self, publisher: Publisher) -> None:
        number = len(self._published_at_s)
        key, value, headers = message(number, sampled_every=0)
        event = msgspec.structs.replace(decode_record(value), event_id=str(number))
        self._published_at_s.append(time.perf_counter())
        await publisher.publish_event(event, message_key=key, headers=headers)

    async def _receive(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for messages in (await consumer.getmany(timeout_ms=1000)).values():
                now_s = time.perf_counter()
                for received in messages:
                    self._received_at_s[int(decode_succeeded(received.value).event_id)] = now_s

    async def _await_receipts(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_RECEIPT_WITHIN_S):
                while len(self._received_at_s) < len(self._published_at_s):  # noqa: ASYNC110  # ticks are fine here
                    await asyncio.sleep(_TICK_S)

    def _latencies(self, first: int) -> Latencies:
        received = self._received_at_s
        found = sorted(
            received[i] - at_s for i, at_s in enumerate(self._published_at_s) if i >= first and i in received
        )
        percentiles = quantiles(found, n=100)
        return Latencies(
            records=len(self._published_at_s),
            receipts=len(received),
            p50_s=percentiles[49],
            p99_s=percentiles[98],
            max_s=found[-1],
        )
