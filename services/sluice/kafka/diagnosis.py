"""Diagnosis of a Kafka that cannot be reached: connect once more, and put what comes into words.

aiokafka logs the reasons and raises that it could not bootstrap, or asks on for ever. The first to refuse is told: who
has three brokers with one wrong setting needs one sentence.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from sluice.kafka import connections
from sluice.kafka.settings import KafkaSettings

DIAGNOSIS_TIMEOUT_S = 5.0
_NOT_FOR_THIS_HOST = {62, 64}
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_ALERT = "ALERT"
"""In OpenSSL's reasons: what the other side says."""


class Refusal(NamedTuple):
    """The address that cannot be used, and why, with what to do."""

    address: str
    reason: str


async def diagnose(
    kafka: KafkaSettings, options: Mapping[str, object], *, timeout_s: float = DIAGNOSIS_TIMEOUT_S
) -> Refusal | None:
    """Return why a client with ``options`` cannot use Kafka; ``None`` when it can use every broker now."""
    connection = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    try:
        async with asyncio.timeout(timeout_s):
            return await _first_refusal(kafka, connection)
    except TimeoutError:
        reason = f"no answer within {timeout_s:g} s; check kafka.bootstrap_servers, the network, and Kafka"
        return Refusal(kafka.bootstrap_servers, reason)
    finally:
        await connections.closed()


async def _first_refusal(kafka: KafkaSettings, options: Mapping[str, Any]) -> Refusal | None:
    refusal = None
    for host, port, _ in collect_hosts(kafka.bootstrap_servers, randomize=False):
        found = await _ask(kafka, options, host, port)
        if not isinstance(found, Refusal):
            for broker in found:
                named = await _ask(kafka, options, *broker)
                if isinstance(named, Refusal):
                    return named
            return None
        refusal = refusal or found
    return refusal


async def _ask(
    kafka: KafkaSettings, options: Mapping[str, Any], host: str, port: int
) -> list[tuple[str, int]] | Refusal:
    """Return the brokers that the one at this address names."""
    connected = False
    try:
        connection = await create_conn(host, port, **options)
        connected = True
        try:
            answer = await connection.send(MetadataRequest([]))
        finally:
            connection.close()
    except (OSError, KafkaError, ValueError, AssertionError) as error:  # the last two: of aiokafka's login
        offered = await _offered(options, host, port) if isinstance(error, UnsupportedSaslMechanismError) else ""
        return Refusal(f"{host}:{port}", explain(error, kafka, connected=connected, offered=offered))
    return [(broker[1], broker[2]) for broker in answer.brokers]


async def _offered(options: Mapping[str, Any], host: str, port: int) -> str:
    """Return the mechanisms of that listener: aiokafka does not tell them."""
    protocol = options["security_protocol"].removeprefix("SASL_")
    connection = await create_conn(host, port, **{**options, "security_protocol": protocol})
    try:
        answer = await connection.send(SaslHandShakeRequest(options["sasl_mechanism"]))
    finally:
        connection.close()
    return ", ".join(answer.enabled_mechanisms)


def explain(error: BaseException, kafka: KafkaSettings, *, connected: bool, offered: str = "") -> str:
    """Return why an address cannot be used, and what to do; ``connected`` tells that it took the login, if any."""
    cause = error.__cause__ if isinstance(error, KafkaConnectionError) and error.__cause__ is not None else error
    match cause:
        case ssl.SSLCertVerificationError():
            return _explain_certificate(cause, kafka)
        case ssl.SSLError() if _ALERT in (cause.reason or ""):
            return _explain_alert(cause, kafka)
        case SaslAuthenticationFailed() | ValueError() | AssertionError():
            return f"it refuses the login {_login(kafka)}: {_text(cause)}; correct kafka.sasl"
        case UnsupportedSaslMechanismError():
            return f"it expects a login by {offered}, got one {_login(kafka)}; correct kafka.sasl.mechanism"
        case IllegalSaslStateError():
            return "it takes no login; leave kafka.sasl out, or name the port of a listener with SASL"
        case ConnectionRefusedError():
            return "nobody listens there; check kafka.bootstrap_servers, and that Kafka runs"
    if isinstance(cause, ConnectionError | EOFError | ssl.SSLError):
        return _explain_end(error, kafka, connected=connected)
    return f"{_text(cause)}; check kafka.bootstrap_servers, the network, and kafka.tls and kafka.sasl"


def _explain_certificate(error: ssl.SSLCertVerificationError, kafka: KafkaSettings) -> str:
    if error.verify_code in _NOT_FOR_THIS_HOST:
        return (
            f"{error.verify_message.rstrip('.')}; use the name in Kafka's certificate in kafka.bootstrap_servers and "
            "Kafka's advertised.listeners, or give Kafka a certificate for this name"
        )
    ca_file = kafka.tls.ca_file if kafka.tls is not None else None
    trusted = "the authorities that this system trusts" if ca_file is None else f"the authorities in {ca_file}"
    return (
        f"its certificate is refused ({error.verify_message}), expected one signed by {trusted}; correct "
        "kafka.tls.ca_file, or Kafka's certificate"
    )


def _explain_alert(error: ssl.SSLError, kafka: KafkaSettings) -> str:
    said = (error.reason or "").rpartition(f"{_ALERT}_")[2].replace("_", " ").lower()
    if kafka.tls is None or kafka.tls.cert_file is None:
        return f"it wants a client's certificate ({said}); set kafka.tls.cert_file and kafka.tls.key_file"
    return f"it refuses the certificate in {kafka.tls.cert_file} ({said}); name one it trusts in kafka.tls.cert_file"


def _explain_end(error: BaseException, kafka: KafkaSettings, *, connected: bool) -> str:
    """Explain the end of a connection without a word: the moment tells what the listener expected."""
    if kafka.tls is not None and not isinstance(error, KafkaError):
        return (
            "it ends the connection in the TLS handshake, as a listener without TLS does; leave kafka.tls out, or name "
            "the port of one with TLS in kafka.bootstrap_servers"
        )
    if connected and kafka.sasl is None:
        return "it ends the connection at the first question, as a listener that wants a login does; set kafka.sasl"
    if kafka.tls is None:
        return (
            "it ends the connection at the first word, as a listener with TLS does; set kafka.tls, or name the port of "
            "one without TLS in kafka.bootstrap_servers"
        )
    return f"it ends the connection ({_text(error)}); see Kafka's log"


def _login(kafka: KafkaSettings) -> str:
    return f"of {kafka.sasl.username!r} by {kafka.sasl.mechanism}" if kafka.sasl is not None else ""


def _text(error: BaseException) -> str:
    words = error.args[0] if isinstance(error, KafkaError) and error.args else error
    return str(words) or repr(error)
