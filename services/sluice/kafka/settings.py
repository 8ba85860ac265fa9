"""Settings of the connection to Kafka."""

from typing import Literal

from sluice.setting_types import Frozen, Seconds, Secret


class TlsSettings(Frozen, frozen=True):
    """TLS to Kafka, with PEM files. The brokers' host names must be those of their certificates.

    A relative path begins in the working directory. Files are read again for each new client, so that they can be
    replaced while a process runs.
    """

    ca_file: str | None = None
    """The authorities that are trusted, such as a private one; without it, those of the system."""
    cert_file: str | None = None
    """The client's own certificate, where Kafka asks for one."""
    key_file: str | None = None
    """The key of that certificate; without it, it stands in ``cert_file``."""
    key_password: Secret | None = None
    """Opens an encrypted key."""


class SaslSettings(Frozen, frozen=True):
    """Login to Kafka; over TLS when ``tls`` is set. It is renewed before it ends, where Kafka limits its life."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    username: str
    password: Secret


class KafkaSettings(Frozen, frozen=True):
    """Connection to Kafka. ``bootstrap_servers`` are ``host:port``, with commas between them."""

    bootstrap_servers: str
    tls: TlsSettings | None = None
    sasl: SaslSettings | None = None
    session_timeout_s: Seconds = 30.0
    """Kafka gives the lanes of a writer that is silent for this long to another."""
