"""Whatever is wrong between a client and Kafka is told in one sentence: the address, what came, and what to do."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiokafka.admin import AIOKafkaAdminClient
from msgspec.structs import replace

from sandbox.kafka.certificates import Authority
from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from sluice.kafka.clients import KafkaUnreachable, client_options, start
from sluice.kafka.diagnosis import diagnose
from sluice.kafka.settings import KafkaSettings, SaslSettings, TlsSettings
from sluice.setting_types import Secret
from tests.support.hung_broker import hung_broker
from tests.support.kafka_admin import RunningKafka
from tests.support.secured import EACH_SECURED, MUTUAL_TLS, TLS, secured_settings

PLAIN = Security(sasl="PLAIN")
SCRAM = Security(sasl="SCRAM-SHA-256")
BOTH = Security(tls=True, sasl="SCRAM-SHA-512")

Listeners = Callable[[Security], KafkaSettings]
Change = Callable[[Listeners, Authority], KafkaSettings]


def _with_files(of: Listeners, authority: Authority) -> KafkaSettings:
    """Show a certificate of another authority."""
    foreign = authority.issue("foreign")
    known = of(MUTUAL_TLS).tls
    assert known is not None
    shown = replace(known, cert_file=str(foreign.cert_file), key_file=str(foreign.key_file), key_password=None)
    return replace(of(MUTUAL_TLS), tls=shown)


def _with_password(settings: KafkaSettings, password: str) -> KafkaSettings:
    assert settings.sasl is not None
    return replace(settings, sasl=replace(settings.sasl, password=Secret(password)))


WRONG: list[Any] = [
    pytest.param(
        lambda of, other: replace(of(TLS), tls=TlsSettings(ca_file=str(other.ca_file))),
        "its certificate is refused (unable to get local issuer certificate), expected one signed by the",
        "other.pem; correct kafka.tls.ca_file",
        id="another authority",
    ),
    pytest.param(
        lambda of, other: replace(of(TLS), tls=TlsSettings()),
        "expected one signed by the authorities that this system trusts",
        "correct kafka.tls.ca_file",
        id="no authority",
    ),
    pytest.param(
        lambda of, other: replace(
            of(TLS), bootstrap_servers=of(TLS).bootstrap_servers.replace("localhost", "127.0.0.1")
        ),
        "127.0.0.1:",
        "certificate is not valid for '127.0.0.1'; use the name in Kafka's certificate in kafka.bootstrap_servers",
        id="another host name",
    ),
    pytest.param(
        lambda of, other: replace(of(MUTUAL_TLS), tls=of(TLS).tls),
        "it wants a client's certificate (certificate required)",
        "set kafka.tls.cert_file and kafka.tls.key_file",
        id="no client certificate",
    ),
    pytest.param(
        _with_files, "it refuses the certificate in ", "foreign.pem (certificate unknown)", id="a foreign certificate"
    ),
    pytest.param(
        lambda of, other: replace(of(TLS), bootstrap_servers=of(PLAIN).bootstrap_servers),
        "it ends the connection in the TLS handshake, as a listener without TLS does",
        "leave kafka.tls out",
        id="tls to a plain port",
    ),
    pytest.param(
        lambda of, other: replace(of(TLS), tls=None),
        "it ends the connection at the first word, as a listener with TLS does",
        "set kafka.tls",
        id="plain to a tls port",
    ),
    pytest.param(
        lambda of, other: replace(of(PLAIN), sasl=None),
        "it ends the connection at the first question, as a listener that wants a login does",
        "set kafka.sasl",
        id="no login",
    ),
    pytest.param(
        lambda of, other: replace(of(BOTH), sasl=None),
        "that wants a login does",
        "set kafka.sasl",
        id="no login, over tls",
    ),
    pytest.param(
        lambda of, other: replace(of(TLS), sasl=of(PLAIN).sasl),
        "it takes no login",
        "leave kafka.sasl out",
        id="a login that nobody asks for",
    ),
    pytest.param(
        lambda of, other: replace(of(SCRAM), sasl=of(PLAIN).sasl),
        "it expects a login by SCRAM-SHA-256, got one of 'sluice' by PLAIN",
        "correct kafka.sasl.mechanism",
        id="another mechanism",
    ),
    *(
        pytest.param(
            lambda of, other, security=security: _with_password(of(security), "hunter2"),
            f"it refuses the login of 'sluice' by {security.sasl}: Authentication failed",
            "correct kafka.sasl",
            id=f"a wrong password, {security.name}",
        )
        for security in (PLAIN, SCRAM, BOTH)
    ),
    pytest.param(
        lambda of, other: KafkaSettings(bootstrap_servers="localhost:1"),
        "localhost:1: nobody listens there",
        "check kafka.bootstrap_servers, and that Kafka runs",
        id="nobody listens",
    ),
    pytest.param(
        lambda of, other: KafkaSettings(bootstrap_servers="nobody.invalid:9092"),
        "nobody.invalid:9092: ",
        "check kafka.bootstrap_servers, the network",
        id="no such host",
    ),
]


@pytest.mark.parametrize("run", [pytest.param(asyncio.run, id="asyncio"), pytest.param(uvloop.run, id="uvloop")])
@pytest.mark.parametrize(("change", "reason", "advice"), WRONG)
async def test_what_is_wrong_is_said(
    local_kafka: LocalKafka, tmp_path: Path, change: Change, reason: str, advice: str, run: Callable[..., None]
) -> None:
    settings = change(lambda security: secured_settings(local_kafka, security), Authority(tmp_path, "other"))

    async def fail() -> None:
        with pytest.raises(KafkaUnreachable) as caught:
            await start(AIOKafkaAdminClient(**client_options(settings)), settings)
        sentence = str(caught.value)
        assert sentence.startswith("Kafka cannot be reached at ")
        assert reason in sentence
        assert advice in sentence
        assert "hunter2" not in sentence
        assert "\n" not in sentence

    await asyncio.to_thread(run, fail())


@pytest.mark.parametrize("security", EACH_SECURED)
async def test_nothing_is_said_of_a_kafka_that_can_be_used(local_kafka: LocalKafka, security: Security) -> None:
    settings = secured_settings(local_kafka, security)
    assert await diagnose(settings, client_options(settings)) is None


async def test_of_several_brokers_the_first_that_cannot_be_used_is_told(kafka: RunningKafka) -> None:
    settings = KafkaSettings(bootstrap_servers="localhost:1,localhost:2")
    refusal = await diagnose(settings, client_options(settings))
    assert refusal is not None
    assert refusal.address == "localhost:1"
    settings = KafkaSettings(bootstrap_servers=f"localhost:1,{kafka.bootstrap_servers}")
    assert await diagnose(settings, client_options(settings)) is None


async def test_a_login_to_a_broker_that_hangs_is_bounded() -> None:
    sasl = SaslSettings(mechanism="PLAIN", username="me", password=Secret("pw"))
    async with hung_broker() as address:
        settings = KafkaSettings(bootstrap_servers=address, sasl=sasl)
        refusal = await diagnose(settings, client_options(settings), timeout_s=0.2)
    assert refusal is not None
    assert refusal.reason.startswith("no answer within")
