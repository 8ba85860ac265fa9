"""The writer process over TLS and SASL: it starts, delivers, stops, and says why when it is let in no more."""

import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from sluice.kafka.aiokafka_workarounds import STOP_TIMEOUT_S
from sluice.setting_types import Secret
from tests.support.kafka_admin import RunningKafka
from tests.support.scram_users import allow_login, withdraw_login
from tests.support.secured import MUTUAL_TLS, SHORT_LIVED, secured_settings
from tests.support.stage import Place, Stage, record, staged

LANES = 4


def _running(kafka: LocalKafka, security: Security) -> RunningKafka:
    settings = secured_settings(kafka, security)
    return RunningKafka(settings.bootstrap_servers, settings.tls, settings.sasl)


@pytest.mark.parametrize("security", [pytest.param(one, id=one.name) for one in (MUTUAL_TLS, SHORT_LIVED)])
async def test_a_writer_delivers_and_outlives_its_logins(
    local_kafka: LocalKafka, security: Security, prefix: str, tmp_path: Path
) -> None:
    async with staged(_running(local_kafka, security), prefix, tmp_path, lanes=LANES) as stage:
        writer = stage.writer(stage.settings())
        await writer.owns(LANES)
        # A closing that waited for Kafka was given up after so long, once or twice for a lane.
        assert [line for line in writer.logged("lane open") if line["seconds"] >= STOP_TIMEOUT_S] == []
        sources: list[Place] = []
        end_at_s = time.monotonic() + 3 * security.reauthenticate_ms / 1000
        while not sources or time.monotonic() < end_at_s:
            sources += await stage.publish(record(f"k{len(sources)}-{number}") for number in range(20))
        await stage.settled(sources)
        assert [source for source in sources if len(stage.sent(source)) != 1] == []
        assert await writer.stop() == 0
        assert [line for line in writer.logged_by("aiokafka") if "onnect" in line["message"]] == []


@pytest_asyncio.fixture
async def guest(local_kafka: LocalKafka, prefix: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a test a stage with a login of its own, called as its topics' prefix."""
    kafka = _running(local_kafka, SHORT_LIVED)
    assert kafka.sasl is not None
    await allow_login(local_kafka.bootstrap_servers, prefix, "guest")
    sasl = replace(kafka.sasl, username=prefix, password=Secret("guest"))
    async with staged(kafka._replace(sasl=sasl), prefix, tmp_path) as stage:
        yield stage


async def test_a_withdrawn_password_is_told_and_recovers(local_kafka: LocalKafka, prefix: str, guest: Stage) -> None:
    staying, stopped = (guest.writer(guest.settings()) for _ in range(2))
    await staying.owns(1)
    await stopped.owns(1)
    await withdraw_login(local_kafka.bootstrap_servers, prefix)
    words = f"it refuses the login of '{prefix}' by SCRAM-SHA-512"
    for writer in (staying, stopped):
        await writer.shows(lambda status: words in (status["not_ready_because"] or ""))
    assert (await staying.get("/readyz")).status_code == 503
    stopped.send(signal.SIGTERM)
    assert await stopped.ended(within_s=20) == 0
    await allow_login(local_kafka.bootstrap_servers, prefix, "guest")
    sources = await guest.publish([record("after")])
    await guest.settled(sources)
    await staying.owns(2)
    assert await staying.stop() == 0
