"""Clients connect, or say that Kafka cannot be reached and leave nothing behind."""

import asyncio
import gc
import socket
import time
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from sandbox.kafka.certificates import Authority
from sluice.kafka.aiokafka_workarounds import Client
from sluice.kafka.clients import KafkaUnreachable, client_options, running, start
from sluice.kafka.settings import KafkaSettings, SaslSettings, TlsSettings
from sluice.setting_types import Secret
from tests.support.hung_broker import hung_broker
from tests.support.kafka_admin import RunningKafka

Run = Callable[[Coroutine[Any, Any, None]], None]

KINDS: list[Any] = [
    pytest.param(AIOKafkaConsumer, id="consumer"),
    pytest.param(lambda **options: AIOKafkaConsumer(group_id="g", **options), id="member of a group"),
    pytest.param(lambda **options: AIOKafkaProducer(enable_idempotence=True, **options), id="producer"),
    pytest.param(lambda **options: AIOKafkaProducer(transactional_id="x", **options), id="transactional producer"),
    pytest.param(AIOKafkaAdminClient, id="admin client"),
]


@pytest.fixture
def closed_port() -> Iterator[str]:
    """An address that nobody listens at, and that nobody else is given meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("make", KINDS)
async def test_a_closed_port_is_unreachable_and_nothing_stays_open(
    make: Callable[..., Client], closed_port: str
) -> None:
    tasks, settings = asyncio.all_tasks(), KafkaSettings(bootstrap_servers=closed_port)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        async with asyncio.timeout(5):
            with pytest.raises(
                KafkaUnreachable, match=f"Kafka cannot be reached at {closed_port}: nobody listens there"
            ):
                await start(make(**client_options(settings)), settings)
        gc.collect()
    assert [str(one.message) for one in caught if "aiokafka" in str(one.message).lower()] == []
    assert asyncio.all_tasks() <= tasks


class Hanging(NamedTuple):
    """How far a broker gets before it hangs."""

    client_speaks_tls: bool
    server_speaks_tls: bool


async def _start_in_vain(kinds: Iterable[Callable[..., Client]], how: Hanging, authority: Authority) -> None:
    before = asyncio.all_tasks()
    certificate = authority.issue("server", host="localhost")
    tls = TlsSettings(ca_file=str(authority.ca_file)) if how.client_speaks_tls else None
    async with hung_broker(certificate if how.server_speaks_tls else None) as address:
        settings = KafkaSettings(bootstrap_servers=address, tls=tls)
        clients = [make(**client_options(settings)) for make in kinds]
        starting = [asyncio.create_task(start(client, settings)) for client in clients]
        await asyncio.wait(starting, timeout=0.3)
        asked_at_s = time.monotonic()
        for task in starting:
            task.cancel()
        await asyncio.wait(starting)
    assert all(task.cancelled() for task in starting)
    assert time.monotonic() - asked_at_s < 2
    assert asyncio.all_tasks() <= before


@pytest.mark.parametrize("run", [pytest.param(asyncio.run, id="asyncio"), pytest.param(uvloop.run, id="uvloop")])
@pytest.mark.parametrize(
    "how",
    [
        pytest.param(Hanging(client_speaks_tls=False, server_speaks_tls=False), id="at the first request"),
        pytest.param(Hanging(client_speaks_tls=True, server_speaks_tls=False), id="in the handshake"),
        pytest.param(Hanging(client_speaks_tls=True, server_speaks_tls=True), id="after the handshake"),
    ],
)
async def test_a_start_that_hangs_can_be_cancelled_and_leaves_nothing(how: Hanging, run: Run, tmp_path: Path) -> None:
    kinds = [kind.values[0] for kind in KINDS]
    await asyncio.to_thread(run, _start_in_vain(kinds, how, Authority(tmp_path)))


async def test_a_cancel_of_aiokafkas_own_is_no_cancel_of_the_start(kafka: RunningKafka) -> None:
    consumer = AIOKafkaConsumer("missing", **client_options(kafka.settings))
    starting = asyncio.create_task(start(consumer, kafka.settings))
    async with asyncio.timeout(20):
        while not starting.done():
            if consumer._client._md_update_fut is not None:  # what it awaits until Kafka has such a topic
                consumer._client._md_update_fut.cancel()
            await asyncio.sleep(0)
    assert not starting.cancelled()
    with pytest.raises(KafkaUnreachable, match="although it can be reached now"):
        starting.result()


@pytest.mark.parametrize("make", KINDS)
async def test_a_client_is_stopped_when_the_body_raises(make: Callable[..., Client], kafka: RunningKafka) -> None:
    tasks, settings = asyncio.all_tasks(), KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)
    with pytest.raises(LookupError):
        async with running(make(**client_options(settings)), settings):
            raise LookupError
    assert asyncio.all_tasks() <= tasks


def test_options_name_the_login_and_its_protocol() -> None:
    sasl = SaslSettings(mechanism="PLAIN", username="me", password=Secret("secret"))
    assert client_options(KafkaSettings(bootstrap_servers="k:1", sasl=sasl)) == {
        "bootstrap_servers": "k:1",
        "security_protocol": "SASL_PLAINTEXT",
        "client_id": "sluice",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "me",
        "sasl_plain_password": "secret",
    }
