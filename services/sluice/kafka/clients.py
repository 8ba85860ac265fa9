"""Kafka clients: one set of options, one way to start and stop, one error for a Kafka that does not answer."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka.errors import KafkaError

from sluice.kafka import connections
from sluice.kafka.aiokafka_workarounds import Client, stop
from sluice.kafka.settings import KafkaSettings

connections.use()

AnyClient = TypeVar("AnyClient", bound=Client)


class KafkaUnreachable(Exception):
    """A Kafka that does not answer; the message names the addresses and what to check."""

    def __init__(self, settings: KafkaSettings, cause: Exception) -> None:
        super().__init__(
            f"Kafka does not answer at {settings.bootstrap_servers}: {cause}; "
            "check kafka.bootstrap_servers, the network, and kafka.tls and kafka.sasl"
        )


def client_options(settings: KafkaSettings, client_id: str = "sluice") -> dict[str, object]:
    """Return the keyword arguments that aiokafka's producer, consumer and admin client share."""
    options: dict[str, object] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": ("SASL_" if settings.sasl else "") + ("SSL" if settings.tls else "PLAINTEXT"),
        "client_id": client_id,
    }
    if settings.tls is not None:
        context = ssl.create_default_context(cafile=settings.tls.ca_file)
        if settings.tls.cert_file is not None:
            password = settings.tls.key_password.reveal() if settings.tls.key_password else None
            context.load_cert_chain(settings.tls.cert_file, settings.tls.key_file, password)
        options["ssl_context"] = context
    if settings.sasl is not None:
        options["sasl_mechanism"] = settings.sasl.mechanism
        options["sasl_plain_username"] = settings.sasl.username
        options["sasl_plain_password"] = settings.sasl.password.reveal()
    return options


async def start(client: Client, settings: KafkaSettings) -> None:
    """Connect ``client``, or leave nothing of it behind. Raises :class:`KafkaUnreachable`."""
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await stop(client)
        raise KafkaUnreachable(settings, error) from error
    except BaseException:
        await stop(client)
        raise


@asynccontextmanager
async def running(client: AnyClient, settings: KafkaSettings) -> AsyncIterator[AnyClient]:
    """Start ``client`` for the body of an ``async with``, then stop it. Raises :class:`KafkaUnreachable`."""
    await start(client, settings)
    try:
        yield client
    finally:
        await stop(client)
