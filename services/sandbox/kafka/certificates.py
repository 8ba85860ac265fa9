"""Certificates for a local Kafka and its clients: a private authority, and PEM files signed by it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_VALID_FOR = timedelta(days=30)
_CLOCK_LATE_BY = timedelta(hours=1)
"""Certificates are valid since an hour ago, for a client whose clock is late."""

# Python 3.13 refuses authorities and certificates without these two (VERIFY_X509_STRICT).
_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
_issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key


class KeyPair(NamedTuple):
    """A certificate and its private key, each in a PEM file of its own."""

    cert_file: Path
    key_file: Path


class Authority:
    """A certificate authority that only its own files trust; ``ca_file`` is what its clients need."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _subject(f"Sluice sandbox {name}")
        builder = _certificate(self._subject, self._subject, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
        self.ca_file = directory / f"{name}.pem"
        self.ca_file.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))

    def issue(self, name: str, *, host: str | None = None, password: str | None = None) -> KeyPair:
        """Return a new certificate ``name``: a server's for ``host``, else a client's; ``password`` locks its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(_subject(name), self._subject, key.public_key())
        builder = builder.add_extension(_issued_by(self._key.public_key()), critical=False)
        if host is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        pair = KeyPair(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        pair.cert_file.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        # PKCS 8, the only form that Java reads.
        pair.key_file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
        )
        return pair


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _CLOCK_LATE_BY,
        not_valid_after=now + _VALID_FOR,
    ).add_extension(identifier, critical=False)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
