"""A connection closes at once, logs in again in time, and says in aiokafka's own words that it was lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.metadata import MetadataRequest

from sandbox.kafka.cluster import LocalKafka
from sluice.kafka.clients import client_options
from sluice.kafka.settings import KafkaSettings
from tests.support.kafka_admin import RunningKafka
from tests.support.secured import SHORT_LIVED, TLS, secured_settings

Run = Callable[[Coroutine[Any, Any, None]], None]
LOOPS: list[Any] = [pytest.param(asyncio.run, id="asyncio"), pytest.param(uvloop.run, id="uvloop")]


async def _connect(settings: KafkaSettings) -> Any:
    options: Any = client_options(settings)
    host, _, port = options.pop("bootstrap_servers").partition(":")
    return await create_conn(host, int(port), **options)


async def _close_with_a_request_in_flight(settings: KafkaSettings) -> None:
    connection = await _connect(settings)
    asking = asyncio.ensure_future(connection.send(MetadataRequest([])))
    await asyncio.sleep(0)
    asking.cancel()
    async with asyncio.timeout(2):
        await connection.close()


async def _close_many(settings: KafkaSettings) -> None:
    await asyncio.gather(*(_close_with_a_request_in_flight(settings) for _ in range(10)))


@pytest.mark.parametrize("run", LOOPS)
async def test_tls_is_closed_at_once_although_an_answer_is_owed(local_kafka: LocalKafka, run: Run) -> None:
    await asyncio.to_thread(run, _close_many(secured_settings(local_kafka, TLS)))


async def _write_to_a_lost_connection(settings: KafkaSettings) -> None:
    connection = await _connect(settings)
    lost = connection._closed_fut
    connection._writer.transport.abort()
    await lost  # as the transport knows it; aiokafka's reader has yet to be told
    with pytest.raises(KafkaConnectionError):
        connection.send(ApiVersionRequest())
    assert not connection.connected()


async def test_a_write_to_a_lost_connection_is_a_connection_error(kafka: RunningKafka) -> None:
    await asyncio.to_thread(uvloop.run, _write_to_a_lost_connection(kafka.settings))


async def test_a_connection_ends_before_its_login_does(local_kafka: LocalKafka) -> None:
    connection = await _connect(secured_settings(local_kafka, SHORT_LIVED))
    async with asyncio.timeout(SHORT_LIVED.reauthenticate_ms / 1000):
        while connection.connected():
            await connection.send(MetadataRequest([]))
            await asyncio.sleep(0.02)
