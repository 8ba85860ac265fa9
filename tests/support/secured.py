"""The secured listeners of the session's Kafka, and how clients reach them."""

import ssl
from typing import Any

import msgspec
import pytest
from aiokafka.conn import create_conn

from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import HOST, PASSWORD, USERNAME, Security
from sluice.kafka.settings import KafkaSettings
from sluice.setting_types import Secret
from sluice.settings_file import convert

TLS = Security(tls=True)
MUTUAL_TLS = Security(tls=True, client_certificate=True)
SHORT_LIVED = Security(tls=True, sasl="SCRAM-SHA-512", reauthenticate_ms=2000)
"""A login counts for two seconds, instead of the hours that are usual."""
SECURED = [
    TLS,
    MUTUAL_TLS,
    *(Security(tls=tls, sasl=name) for tls in (False, True) for name in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")),
    SHORT_LIVED,
]
EACH_SECURED: list[Any] = [pytest.param(security, id=security.name) for security in SECURED]


def secured_settings(kafka: LocalKafka, security: Security) -> KafkaSettings:
    """Return the settings of a client of that listener."""
    return convert(kafka.settings_block(security), KafkaSettings, "kafka")


def settings_block(kafka: KafkaSettings) -> dict[str, Any]:
    """Return ``kafka`` as it would stand in a settings file, with its secrets."""
    block: dict[str, Any] = msgspec.to_builtins(kafka, enc_hook=_reveal)
    return block


def _reveal(secret: Any) -> str:
    assert isinstance(secret, Secret)
    return secret.reveal()


async def connect(kafka: LocalKafka, security: Security, node: int = 0, **overrides: Any) -> None:
    """Log in at one broker, with a client that is not Sluice's."""
    block = kafka.settings_block(security)
    options: dict[str, Any] = {"security_protocol": security.protocol}
    if security.tls:
        tls = block["tls"]
        options["ssl_context"] = context = ssl.create_default_context(cafile=tls["ca_file"])
        if "cert_file" in tls:
            context.load_cert_chain(tls["cert_file"], tls["key_file"], tls["key_password"])
    if security.sasl:
        login = {"sasl_plain_username": USERNAME, "sasl_plain_password": PASSWORD}
        options |= {"sasl_mechanism": security.sasl, **login}
    port = int(block["bootstrap_servers"].split(",")[node].rpartition(":")[2])
    connection = await create_conn(**{"host": HOST, "port": port, **options, **overrides})
    await connection.close()
