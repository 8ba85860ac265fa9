"""Kafka clients: one set of options, one way to start and stop, one error for a Kafka that does not answer."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict, TypeVar

from aiokafka.errors import KafkaError

from sluice.kafka.aiokafka_workarounds import Client, stop
from sluice.kafka.settings import KafkaSettings, SaslSettings


class ClientOptions(TypedDict, total=False):
    """Keyword arguments that aiokafka's producer, consumer and admin client share."""

    bootstrap_servers: str
    security_protocol: str
    ssl_context: ssl.SSLContext
    sasl_mechanism: str
    sasl_plain_username: str
    sasl_plain_password: str
    client_id: str


AnyClient = TypeVar("AnyClient", bound=Client)


class KafkaUnreachable(Exception):
    """A Kafka that does not answer; the message names the addresses and what to check."""

    def __init__(self, settings: KafkaSettings, cause: Exception) -> None:
        super().__init__(
            f"Kafka does not answer at {settings.bootstrap_servers}: {cause}; "
            "check kafka.bootstrap_servers, the network, and kafka.tls and kafka.sasl"
        )


def client_options(settings: KafkaSettings, client_id: str = "sluice") -> ClientOptions:
    """Return what every aiokafka client of this process is made with."""
    options = ClientOptions(
        bootstrap_servers=settings.bootstrap_servers,
        security_protocol=_protocol(settings),
        client_id=client_id,
    )
    if settings.tls is not None:
        context = ssl.create_default_context(cafile=settings.tls.ca_file)
        if settings.tls.cert_file is not None:
            password = settings.tls.key_password.reveal() if settings.tls.key_password else None
            context.load_cert_chain(settings.tls.cert_file, settings.tls.key_file, password)
        options["ssl_context"] = context
    if settings.sasl is not None:
        options.update(_sasl(settings.sasl))
    return options


def _protocol(settings: KafkaSettings) -> str:
    return ("SASL_" if settings.sasl else "") + ("SSL" if settings.tls else "PLAINTEXT")


def _sasl(sasl: SaslSettings) -> ClientOptions:
    return ClientOptions(
        sasl_mechanism=sasl.mechanism,
        sasl_plain_username=sasl.username,
        sasl_plain_password=sasl.password.reveal(),
    )


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
