"""The bare loop that the writer is measured against: its work without its promises.

    python -m tests.bench.reference_loop OPTIONS      (a JSON object, see :class:`Options`)

Fetch, decode, one request per 1,000 records to BlueConic, a receipt per record, receipts and offsets in one
transaction per cycle and lane; requests overlap with fetching. No order per key, no journal, no retries, no dead
letters, no rebalancing, no tracing, no metrics: whatever goes wrong ends it. Results are taken by position.

It is tuned like the writer: uvloop, the collector kept off, Kafka batches built by hand, the same network.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from json.encoder import encode_basestring as quoted
from typing import Any, Literal
from uuid import uuid4

import httpx
import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from sluice.destinations.http_route import Route
from sluice.destinations.http_transport import Network
from sluice.events import Place, RecordEvent, SucceededEvent, decode_record, encode_event

MAX_ITEMS = 1000
MAX_CONCURRENT = 2
"""As the writer's BlueConic destination."""
MAX_WAITING_BATCHES = 20
"""In memory at once: 20,000 records, as in the writer."""
SUCCESS: dict[str, Literal["delivered", "skipped"]] = {
    "CREATED": "delivered",
    "MODIFIED": "delivered",
    "UNCHANGED": "skipped",
}


class Options(msgspec.Struct, kw_only=True):
    """Topics, group and vendor of the loop."""

    bootstrap_servers: str
    records: str
    succeeded: str
    group_id: str
    url: str
    client_id: str
    client_secret: str


class Result(msgspec.Struct, rename="camel", gc=False):
    """BlueConic's answer about one entry."""

    state: str
    group_id: str


class Lane:
    """The receipts of one partition that wait for their transaction."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        self.receipts: list[tuple[Any, bytes]] = []
        self.wake = asyncio.Event()


Batch = list[tuple[Any, RecordEvent]]
decode_data = msgspec.json.Decoder(dict[str, Any]).decode
decode_results = msgspec.json.Decoder(list[Result]).decode


class ReferenceLoop:
    """Carries records until it is cancelled."""

    def __init__(self, options: Options, client: httpx.AsyncClient) -> None:
        self._options = options
        self._client = client
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._batches: asyncio.Queue[tuple[Batch, asyncio.Task[list[Result]]]] = asyncio.Queue(MAX_WAITING_BATCHES)
        self._lanes: dict[int, Lane] = {}

    async def run(self) -> None:
        options = self._options
        consumer = AIOKafkaConsumer(
            options.records,
            bootstrap_servers=options.bootstrap_servers,
            group_id=options.group_id,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            for partition in sorted(consumer.assignment()):
                self._lanes[partition.partition] = Lane(await self._producer(partition.partition))
            async with asyncio.TaskGroup() as group:
                for number, lane in self._lanes.items():
                    group.create_task(self._write_receipts(number, lane))
                group.create_task(self._settle())
                group.create_task(self._fetch(consumer, group))
        finally:
            await asyncio.gather(consumer.stop(), *(lane.producer.stop() for lane in self._lanes.values()))

    async def _producer(self, partition: int) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._options.bootstrap_servers,
            transactional_id=f"{self._options.group_id}-{partition}",
            compression_type="snappy",
            max_batch_size=900_000,
            max_request_size=14_400_000,
        )
        await producer.start()
        return producer

    async def _fetch(self, consumer: AIOKafkaConsumer, group: asyncio.TaskGroup) -> None:
        waiting: Batch = []
        while True:
            polled = await consumer.getmany(timeout_ms=200, max_records=4 * MAX_ITEMS)
            for messages in polled.values():
                waiting += [(message, decode_record(message.value)) for message in messages]
            while len(waiting) >= MAX_ITEMS or (waiting and not polled):
                batch, waiting = waiting[:MAX_ITEMS], waiting[MAX_ITEMS:]
                await self._batches.put((batch, group.create_task(self._send(batch))))

    async def _send(self, batch: Batch) -> list[Result]:
        async with self._slots:
            body = f"[{','.join([entry(message, event) for message, event in batch])}]".encode()
            response = await self._client.put("groups", content=body, headers={"content-type": "application/json"})
            response.stream = httpx.ByteStream(b"")  # it refers back to the response: a cycle that keeps both bodies
            return decode_results(response.raise_for_status().content)

    async def _settle(self) -> None:
        """Take answers in the order of their requests, so that the last offset of a lane covers all before it."""
        while True:
            batch, answer = await self._batches.get()
            results = await answer
            batch_id, now = uuid4().hex, datetime.now(UTC)
            for (message, event), result in zip(batch, results, strict=True):
                lane = self._lanes[message.partition]
                lane.receipts.append((message, receipt(message, event, result, batch_id, now)))
                lane.wake.set()

    async def _write_receipts(self, number: int, lane: Lane) -> None:
        records = TopicPartition(self._options.records, number)
        while True:
            await lane.wake.wait()
            lane.wake.clear()
            taken, lane.receipts = lane.receipts, []
            await lane.producer.begin_transaction()
            sent = await self._append(number, lane.producer, taken)
            offsets = {records: taken[-1][0].offset + 1}
            await asyncio.gather(*sent, lane.producer.send_offsets_to_transaction(offsets, self._options.group_id))
            await lane.producer.commit_transaction()

    async def _append(self, number: int, producer: AIOKafkaProducer, taken: Sequence[tuple[Any, bytes]]) -> list[Any]:
        topic = self._options.succeeded
        sent = []
        builder = producer.create_batch()
        for message, value in taken:
            headers = list(message.headers)
            if builder.append(timestamp=None, key=message.key, value=value, headers=headers) is None:
                sent.append(await producer.send_batch(builder, topic, partition=number))
                builder = producer.create_batch()
                builder.append(timestamp=None, key=message.key, value=value, headers=headers)
        return [*sent, await producer.send_batch(builder, topic, partition=number)]


def entry(message: Any, event: RecordEvent) -> str:
    """An event as an entry of ``PUT /groups``; the workload's values are texts, whole numbers and booleans."""
    rules = [
        f'{{"id":"{name}","values":[{quoted(value) if type(value) is str else text(value)}],"strategy":"SET"}}'
        for name, value in decode_data(event.data).items()
    ]
    return (
        f'{{"identifier":"{message.partition}-{message.offset}","groupTypeId":"{event.object[6:]}",'
        f'"strategy":"UPSERT","groupId":{quoted(event.key)},"properties":[{",".join(rules)}]}}'  # type: ignore[arg-type]
    )


def text(value: float | bool) -> str:
    return f'"{str(value).lower()}"'


def receipt(message: Any, event: RecordEvent, result: Result, batch_id: str, settled_at: datetime) -> bytes:
    return encode_event(
        SucceededEvent(
            event_id=event.event_id,
            object=event.object,
            operation=event.operation,
            key=event.key,
            job_id=event.job_id,
            outcome=SUCCESS[result.state],
            status=result.state,
            record_id=result.group_id,
            batch_id=batch_id,
            source=Place(topic=message.topic, partition=message.partition, offset=message.offset),
            occurred_at=event.occurred_at,
            settled_at=settled_at,
        )
    )


async def main(options: Options) -> None:
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    connections = MAX_CONCURRENT + 1
    client = httpx.AsyncClient(
        base_url=f"{options.url}/rest/v2",
        transport=Network(Route(None), connections, connect_timeout_s=10.0, idle_s=3.0),
        headers={"accept": "application/json", "accept-encoding": "identity"},
        timeout=60,
        trust_env=False,
    )
    async with client:
        client.headers["authorization"] = f"Bearer {await access_token(client, options)}"
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        sys.stderr.write('{"message":"reference loop started"}\n')
        await ReferenceLoop(options, client).run()


async def access_token(client: httpx.AsyncClient, options: Options) -> str:
    credentials = {"client_id": options.client_id, "client_secret": options.client_secret}
    form = {"grant_type": "client_credentials", **credentials}
    answer = (await client.post("oauth/token", data=form)).raise_for_status()
    return str(answer.json()["access_token"])


if __name__ == "__main__":
    with suppress(asyncio.CancelledError):
        uvloop.run(main(msgspec.json.decode(sys.argv[1], type=Options)))
