"""Clients connect, or say that Kafka cannot be reached and leave nothing behind."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from sluice.kafka.aiokafka_workarounds import Client
from sluice.kafka.clients import KafkaUnreachable, client_options, running, start
from sluice.kafka.settings import KafkaSettings, SaslSettings
from sluice.setting_types import Secret
from tests.support.kafka_admin import RunningKafka

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
            with pytest.raises(KafkaUnreachable, match=f"Kafka does not answer at {closed_port}: .* check kafka"):
                await start(make(**client_options(settings)), settings)
        gc.collect()
    assert [str(one.message) for one in caught if "aiokafka" in str(one.message).lower()] == []
    assert asyncio.all_tasks() <= tasks


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
