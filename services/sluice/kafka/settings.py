"""Settings of the connection to Kafka."""

from typing import Literal

from sluice.setting_types import Frozen, Seconds, Secret


class TlsSettings(Frozen, frozen=True):
    """TLS to Kafka, with PEM files. Without ``ca_file`` the system's certificates are trusted."""

    ca_file: str | None = None
    cert_file: str | None = None
    """The client's own certificate, where Kafka asks for one."""
    key_file: str | None = None
    key_password: Secret | None = None


class SaslSettings(Frozen, frozen=True):
    """Login to Kafka."""

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
