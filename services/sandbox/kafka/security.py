"""Secured listeners of a local Kafka: the brokers' settings for them, and what a client has to know.

Each broker always has a plain listener, too: brokers talk to each other there, and tools may.
"""

from pathlib import Path
from typing import Literal, NamedTuple

from sandbox.kafka.certificates import Authority, KeyPair

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

HOST = "localhost"
"""The only name in the server's certificate: a client that says ``127.0.0.1`` must refuse it."""
USERNAME = "sluice"
PASSWORD = "sandbox-secret"
KEY_PASSWORD = "sandbox-key-secret"

_LOGIN_MODULES: dict[Mechanism, str] = {
    "PLAIN": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{USERNAME}" password="{PASSWORD}" user_{USERNAME}="{PASSWORD}";'
    ),
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
}
SCRAM_CREDENTIALS = [
    f"{mechanism}=[name={USERNAME},password={PASSWORD}]" for mechanism in _LOGIN_MODULES if mechanism != "PLAIN"
]
"""As Kafka's ``kafka-storage format --add-scram`` takes them."""


class Security(NamedTuple):
    """Security of one listener of each broker."""

    tls: bool = False
    client_certificate: bool = False
    """A client must show a certificate of the same authority."""
    sasl: Mechanism | None = None
    reauthenticate_ms: int = 0
    """Time after its login at which a connection must log in again, or is closed (KIP-368); 0 for never."""

    @property
    def name(self) -> str:
        """The listener's name, as it stands in the settings of a broker."""
        parts = ["MTLS" if self.client_certificate else "TLS"] if self.tls else []
        parts += [self.sasl.replace("-", "_")] if self.sasl else []
        parts += [str(self.reauthenticate_ms)] if self.reauthenticate_ms else []
        return "_".join(parts)

    @property
    def protocol(self) -> str:
        """Kafka's word for it."""
        return ("SASL_" if self.sasl else "") + ("SSL" if self.tls else "PLAINTEXT")


class Credentials:
    """The files of a cluster's authority, its server and a client, made anew for each start."""

    def __init__(self, directory: Path) -> None:
        authority = Authority(directory)
        self.ca_file = authority.ca_file
        self.client = authority.issue("client", password=KEY_PASSWORD)
        self._keystore = _keystore(authority.issue("server", host=HOST))

    def broker_settings(self, security: Security) -> dict[str, str]:
        """Return the broker's settings of the listener ``security``, but for its address."""
        settings = {}
        if security.tls:
            settings = {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(self._keystore),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": str(self.ca_file),
                "ssl.client.auth": "required" if security.client_certificate else "none",
            }
        if security.sasl:
            settings["sasl.enabled.mechanisms"] = security.sasl
            mechanism = security.sasl.lower()
            settings[f"{mechanism}.sasl.jaas.config"] = _LOGIN_MODULES[security.sasl]
            settings[f"{mechanism}.connections.max.reauth.ms"] = str(security.reauthenticate_ms)
        return {f"listener.name.{security.name.lower()}.{name}": value for name, value in settings.items()}

    def client_settings(self, security: Security) -> dict[str, dict[str, str]]:
        """Return the blocks ``tls`` and ``sasl`` of Sluice's settings for the listener ``security``."""
        blocks: dict[str, dict[str, str]] = {}
        if security.tls:
            blocks["tls"] = {"ca_file": str(self.ca_file)}
        if security.client_certificate:
            blocks["tls"] |= {
                "cert_file": str(self.client.cert_file),
                "key_file": str(self.client.key_file),
                "key_password": KEY_PASSWORD,
            }
        if security.sasl:
            blocks["sasl"] = {"mechanism": security.sasl, "username": USERNAME, "password": PASSWORD}
        return blocks


def _keystore(server: KeyPair) -> Path:
    """Return a file with key and certificate together, as Kafka reads them."""
    keystore = server.key_file.with_name("server-keystore.pem")
    keystore.write_bytes(server.key_file.read_bytes() + server.cert_file.read_bytes())
    return keystore
