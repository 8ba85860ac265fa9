"""Settings of the connection to Kafka."""

import re
from typing import Annotated, Literal

from msgspec import Meta

from sluice.setting_types import Frozen, Secret


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


_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w-]{1,63}(\.[\w-]{1,63})*\.?)(:(?P<port>\d{1,5}))?", re.ASCII)


class KafkaSettings(Frozen, frozen=True):
    """Connection to Kafka. ``bootstrap_servers`` are ``host:port``, with commas between them; 9092 needs no naming.

    Raises ``ValueError`` for others.
    """

    bootstrap_servers: str
    tls: TlsSettings | None = None
    sasl: SaslSettings | None = None
    session_timeout_s: Annotated[float, Meta(ge=6, le=1800)] = 30.0
    """Kafka gives the lanes of a writer that is silent for this long to another. Brokers take 6 s to 30 min by default
    (``group.min.session.timeout.ms`` and ``group.max.session.timeout.ms``)."""

    def __post_init__(self) -> None:
        for address in self.bootstrap_servers.split(","):
            found = _ADDRESS.fullmatch(address.strip())
            if found is None or not 0 < int(found["port"] or 9092) < 65_536:
                raise ValueError(
                    "kafka.bootstrap_servers: expected host:port of a broker, or several with commas between them, "
                    f"got {address.strip()!r}; write for example kafka:9092"
                )
