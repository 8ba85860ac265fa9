"""Kafka clients: one set of options, one way to start and stop, one error for a Kafka that cannot be reached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka.errors import KafkaError

from sluice.kafka import connections
from sluice.kafka.aiokafka_workarounds import Client, is_own_cancel, stop
from sluice.kafka.diagnosis import diagnose
from sluice.kafka.refusals import describe_refusal
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.tls_files import tls_context
from sluice.settings_file import SettingsError

connections.use()

AnyClient = TypeVar("AnyClient", bound=Client)


class KafkaUnreachable(Exception):
    """A Kafka that cannot be used; the message names the address or the setting, what came, and what to do."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"Kafka cannot be reached at {address}: {reason}")


def client_options(settings: KafkaSettings, client_id: str = "sluice") -> dict[str, object]:
    """Return the keyword arguments that aiokafka's producer, consumer and admin client share.

    Raises :class:`KafkaUnreachable` for files of ``settings.tls`` that cannot be used: they are replaced at any time.
    """
    options: dict[str, object] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": ("SASL_" if settings.sasl else "") + ("SSL" if settings.tls else "PLAINTEXT"),
        "client_id": client_id,
    }
    if settings.tls is not None:
        try:
            options["ssl_context"] = tls_context(settings.tls)
        except SettingsError as error:
            raise KafkaUnreachable(settings.bootstrap_servers, str(error)) from error
    if settings.sasl is not None:
        options["sasl_mechanism"] = settings.sasl.mechanism
        options["sasl_plain_username"] = settings.sasl.username
        options["sasl_plain_password"] = settings.sasl.password.reveal()
    return options


async def start(client: Client, settings: KafkaSettings) -> None:
    """Connect ``client``, or leave nothing of it behind. Raises :class:`KafkaUnreachable`."""
    try:
        await client.start()
    except BaseException as error:
        await stop(client)
        if is_own_cancel(error) or not isinstance(error, KafkaError | OSError | asyncio.CancelledError):
            raise
        raise await unreachable(settings, error) from error


async def unreachable(settings: KafkaSettings, error: BaseException) -> KafkaUnreachable:
    """Return why Kafka cannot be reached, after ``error`` of a client."""
    return await _diagnosis(settings) or KafkaUnreachable(
        settings.bootstrap_servers, f"{error!r}, although it can be reached now; try again"
    )


async def explain_failure(error: BaseException, settings: KafkaSettings) -> str:
    """Return what a person should know of ``error`` of a client: why Kafka cannot be reached, else what it refuses."""
    return str(await _diagnosis(settings) or describe_refusal(error))


async def _diagnosis(settings: KafkaSettings) -> KafkaUnreachable | None:
    try:
        refusal = await diagnose(settings, client_options(settings))
    except KafkaUnreachable as error:  # a file is gone
        return error
    return None if refusal is None else KafkaUnreachable(*refusal)


@asynccontextmanager
async def running(client: AnyClient, settings: KafkaSettings) -> AsyncIterator[AnyClient]:
    """Start ``client`` for the body of an ``async with``, then stop it. Raises :class:`KafkaUnreachable`."""
    await start(client, settings)
    try:
        yield client
    finally:
        await stop(client)
