"""aiokafka's clients stop without their broker, and a connection lost on uvloop says so in aiokafka's own words."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from sandbox.kafka.cluster import LocalKafka
from sluice.kafka.aiokafka_workarounds import STOP_TIMEOUT_S, Client, stop, use_on_uvloop
from tests.support.kafka_admin import RunningKafka, create_topics
from tests.support.paths import ROOT


@pytest_asyncio.fixture
async def lonely() -> AsyncIterator[LocalKafka]:
    """A Kafka of one broker that a test may kill or freeze, with a topic ``t``."""
    kafka = LocalKafka(heap_mb=256)
    await asyncio.to_thread(kafka.start)
    try:
        await create_topics(kafka.bootstrap_servers, ["t"])
        yield kafka
    finally:
        kafka.broker(0).kill()
        await asyncio.to_thread(kafka.stop)


@pytest.mark.parametrize("sign", [pytest.param(signal.SIGSTOP, id="frozen"), pytest.param(signal.SIGKILL, id="killed")])
async def test_every_client_stops_although_its_broker_is_gone(lonely: LocalKafka, sign: signal.Signals) -> None:
    tasks, servers = asyncio.all_tasks(), lonely.bootstrap_servers
    producers = [
        AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True),
        AIOKafkaProducer(bootstrap_servers=servers, transactional_id="x"),
    ]
    consumers = [AIOKafkaConsumer("t", bootstrap_servers=servers, group_id=group) for group in (None, "g")]
    clients: list[Client] = [*producers, *consumers, AIOKafkaAdminClient(bootstrap_servers=servers)]
    for client in clients:
        await client.start()
    await producers[1].begin_transaction()
    for producer in producers:
        await producer.send_and_wait("t", b"written")
    os.kill(lonely.broker(0).pid, sign)
    for producer in producers:
        await producer.send("t", b"never written")
    async with asyncio.timeout(2 * STOP_TIMEOUT_S + 1):
        await asyncio.gather(*map(stop, clients))
    left = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() - tasks}
    assert left <= {"MessageAccumulator.close"}  # waits for the message that is never written, and asks for nothing


async def _write_to_a_lost_connection(servers: str) -> None:
    host, _, port = servers.partition(":")
    connection = await create_conn(host, int(port))
    lost = connection._closed_fut
    connection._writer.transport.abort()
    await lost  # as the transport knows it; aiokafka's reader has yet to be told
    with pytest.raises(KafkaConnectionError):
        connection.send(ApiVersionRequest())
    assert not connection.connected()


def test_a_write_to_a_lost_connection_is_a_connection_error(kafka: RunningKafka) -> None:
    """In a process of its own: which connections aiokafka makes is decided once for a process."""
    command = [sys.executable, "-m", "tests.kafka.test_aiokafka_workarounds", kafka.bootstrap_servers]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    use_on_uvloop()
    uvloop.run(_write_to_a_lost_connection(sys.argv[1]))
