"""TLS of Kafka's clients, made from the PEM files that the settings name.

OpenSSL says neither which of the files it cannot use nor why: each is read first, and its content tells.
"""

import ssl
from pathlib import Path
from typing import NoReturn

from sluice.kafka.settings import KafkaSettings, TlsSettings
from sluice.settings_file import SettingsError, why_unreadable

_CERTIFICATE = b" CERTIFICATE-----"
_KEY = b" PRIVATE KEY-----"
_ENCRYPTED = b"ENCRYPTED"


def check_tls_files(kafka: KafkaSettings) -> None:
    """Return if the files that ``kafka`` names can be used. Raises :class:`SettingsError`."""
    if kafka.tls is not None:
        tls_context(kafka.tls)


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """Return the context that a client connects with. Raises :class:`SettingsError`, which names setting and file."""
    context = _trusting(tls.ca_file)
    if tls.cert_file is not None:
        _load_certificate(context, tls, tls.cert_file)
    elif tls.key_file is not None or tls.key_password is not None:
        raise SettingsError("kafka.tls: `key_file` and `key_password` need `cert_file`, the certificate of that key")
    return context


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is None:
        return ssl.create_default_context()
    content = _read("ca_file", ca_file)
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        _refuse("ca_file", ca_file, "an authority's certificate", content, _CERTIFICATE, error)


def _load_certificate(context: ssl.SSLContext, tls: TlsSettings, cert_file: str) -> None:
    certificate = _read("cert_file", cert_file)
    setting, key_file = ("cert_file", cert_file) if tls.key_file is None else ("key_file", tls.key_file)
    key = _read(setting, key_file)

    def password() -> str:
        # Without this OpenSSL would ask at the terminal, and wait.
        if tls.key_password is None:
            raise SettingsError(f"kafka.tls.key_password: {_place(key_file)} is encrypted; set its password")
        return tls.key_password.reveal()

    try:
        context.load_cert_chain(cert_file, key_file, password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(
                f"kafka.tls.{setting}: expected the key of the certificate in {_place(cert_file)}, got that of another "
                f"one in {_place(key_file)}; name the two that belong together"
            ) from error
        if _CERTIFICATE not in certificate:
            _refuse("cert_file", cert_file, "a certificate", certificate, _CERTIFICATE, error)
        if _ENCRYPTED in key and tls.key_password is not None:
            raise SettingsError(
                f"kafka.tls.key_password: it does not open {_place(key_file)}; set the password of that file"
            ) from error
        _refuse(setting, key_file, "a private key", key, _KEY, error)


def _read(setting: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"kafka.tls.{setting}: cannot read {_place(file)}: {why_unreadable(error)}; correct the path, or let us "
            "read it"
        ) from error


def _refuse(setting: str, file: str, expected: str, content: bytes, mark: bytes, error: ssl.SSLError) -> NoReturn:
    came = "a damaged one" if mark in content else "none" if content else "an empty file"
    raise SettingsError(
        f"kafka.tls.{setting}: expected {expected} in PEM form in {_place(file)}, got {came}; name a file with a line "
        f"such as -----BEGIN{mark.decode()}"
    ) from error


def _place(file: str) -> Path:
    """Return where ``file`` is looked for: a relative path begins in the working directory."""
    return Path(file).absolute()
