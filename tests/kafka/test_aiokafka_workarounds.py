"""aiokafka's clients stop without their broker, whoever is cancelled meanwhile."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from sandbox.kafka.cluster import LocalKafka
from sluice.client.connection import Connection
from sluice.kafka.aiokafka_workarounds import STOP_TIMEOUT_S, Client, fail_if_cancelled, is_own_cancel, stop
from sluice.kafka.clients import client_options
from sluice.kafka.settings import KafkaSettings
from tests.support.kafka_admin import RunningKafka, create_topics
from tests.support.secured import TLS, secured_settings


@pytest_asyncio.fixture
async def lonely() -> AsyncIterator[LocalKafka]:
    """A Kafka of one broker that a test may kill or freeze, with a topic ``t``."""
    kafka = LocalKafka(heap_mb=256, secured=[TLS])
    await asyncio.to_thread(kafka.start)
    try:
        await create_topics(kafka.bootstrap_servers, ["t"])
        yield kafka
    finally:
        kafka.broker(0).kill()
        await asyncio.to_thread(kafka.stop)


async def _stop_without_broker(kafka: LocalKafka, sign: signal.Signals) -> None:
    tasks, producers, others = asyncio.all_tasks(), list[AIOKafkaProducer](), list[Client]()
    for name, settings in (
        ("plain", KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)),
        ("tls", secured_settings(kafka, TLS)),
    ):
        options = client_options(settings)
        producers.append(AIOKafkaProducer(enable_idempotence=True, **options))
        producers.append(AIOKafkaProducer(transactional_id=name, **options))
        others += [AIOKafkaConsumer("t", group_id=group, **options) for group in (None, name)]
        others.append(AIOKafkaAdminClient(**options))
    for client in (*producers, *others):
        await client.start()
    for producer in producers[1::2]:
        await producer.begin_transaction()
    for producer in producers:
        await producer.send_and_wait("t", b"written")
    os.kill(kafka.broker(0).pid, sign)
    for producer in producers:
        await producer.send("t", b"never written")
    async with asyncio.timeout(STOP_TIMEOUT_S + 2):
        await asyncio.gather(*map(stop, (*producers, *others)))
    left = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() - tasks}
    # It waits for the message that is never written, and asks for nothing.
    assert left <= {"MessageAccumulator.close", "_stop_without_broker"}


@pytest.mark.parametrize(
    ("sign", "run"),
    [
        pytest.param(signal.SIGSTOP, uvloop.run, id="frozen, on uvloop"),
        pytest.param(signal.SIGKILL, asyncio.run, id="killed, on asyncio"),
    ],
)
async def test_every_client_stops_although_its_broker_is_gone(
    lonely: LocalKafka, sign: signal.Signals, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    await asyncio.to_thread(run, _stop_without_broker(lonely, sign))


async def _fail_with(error: BaseException) -> None:
    """Stand for an await of aiokafka's that raises ``error``."""
    raise error


async def test_a_cancel_of_ours_is_told_from_one_of_aiokafkas() -> None:
    told: list[bool] = []

    async def ask(error: BaseException) -> None:
        try:
            await _fail_with(error)
        except BaseException as raised:
            told.append(is_own_cancel(raised))

    async def be_cancelled(error: BaseException | None) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as own:
            told.append(is_own_cancel(error or own))

    await ask(asyncio.CancelledError())
    await ask(KafkaError())
    for error in (None, asyncio.CancelledError()):  # the second: while aiokafka's arrives, ours is asked for
        task = asyncio.create_task(be_cancelled(error))
        await asyncio.sleep(0)
        task.cancel()
        await task
    assert told == [False, False, True, True]


async def test_a_task_of_a_group_fails_by_a_cancel_of_aiokafkas_and_not_by_ours() -> None:
    with pytest.raises(KafkaError, match="cancelled within aiokafka"):
        await fail_if_cancelled(_fail_with(asyncio.CancelledError()))
    task = asyncio.create_task(fail_if_cancelled(asyncio.sleep(60)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_stop_that_is_cancelled_ends_first(kafka: RunningKafka, connection: Connection) -> None:
    tasks = asyncio.all_tasks()
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, linger_ms=200)
    await producer.start()
    written = await producer.send(connection.topics("crm").records, b"value")
    stopping = asyncio.create_task(stop(producer))
    for _ in range(3):
        await asyncio.sleep(0)
        stopping.cancel()
    await asyncio.wait([stopping])
    assert stopping.cancelled()
    assert written.result().offset == 0  # it was flushed all the same
    assert asyncio.all_tasks() <= tasks
