"""Files of ``kafka.tls`` that cannot be used are named, with what was expected, what came and what to do."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.kafka.certificates import Authority
from sluice.client.connection import connect
from sluice.kafka.clients import KafkaUnreachable, client_options
from sluice.kafka.settings import KafkaSettings, TlsSettings
from sluice.kafka.tls_files import tls_context
from sluice.setting_types import Secret
from sluice.settings import load_settings
from sluice.settings_file import SettingsError

Files = dict[str, str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Paths of files, good ones and others, by name."""
    directory = tmp_path_factory.mktemp("pem")
    authority = Authority(directory)
    client, other = authority.issue("client"), authority.issue("other")
    locked = authority.issue("locked", password="secret")
    files = {
        "missing": directory / "missing.pem",
        "null": directory / "a\0b",
        "ca": authority.ca_file,
        "directory": directory,
    }
    files |= {"client": client.cert_file, "key": client.key_file, "other_key": other.key_file}
    files |= {"locked": locked.cert_file, "locked_key": locked.key_file}
    made = {
        "both": client.cert_file.read_bytes() + client.key_file.read_bytes(),
        "words": b"no certificate",
        "empty": b"",
        "damaged": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "damaged_key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    }
    for name, content in made.items():
        files[name] = directory / f"{name}.pem"
        files[name].write_bytes(content)
    return {name: str(path) for name, path in files.items()}


@pytest.mark.parametrize(
    ("names", "password"),
    [
        pytest.param({}, None, id="the system's authorities"),
        pytest.param({"ca_file": "ca"}, None, id="an authority"),
        pytest.param({"cert_file": "client", "key_file": "key"}, None, id="certificate and key"),
        pytest.param({"cert_file": "both"}, None, id="both in one file"),
        pytest.param({"cert_file": "locked", "key_file": "locked_key"}, "secret", id="an encrypted key"),
        pytest.param({"cert_file": "client", "key_file": "key"}, "secret", id="a password that is not needed"),
    ],
)
def test_good_files_are_taken(files: Files, names: dict[str, str], password: str | None) -> None:
    tls_context(_settings(files, names, password))


@pytest.mark.parametrize(
    ("names", "password", "sentence"),
    [
        pytest.param(
            {"ca_file": "missing"},
            None,
            "ca_file: cannot read {missing}: No such file or directory; correct the path",
            id="no authority",
        ),
        pytest.param(
            {"ca_file": "null"}, None, "ca_file: cannot read {null}: embedded null byte", id="a name that none can have"
        ),
        pytest.param({"ca_file": "directory"}, None, "ca_file: cannot read {directory}: Is a directory", id="a folder"),
        pytest.param(
            {"ca_file": "words"},
            None,
            "ca_file: expected an authority's certificate in PEM form in {words}, got none; name a file with a line "
            "such as -----BEGIN CERTIFICATE-----",
            id="an authority without certificate",
        ),
        pytest.param({"ca_file": "empty"}, None, "form in {empty}, got an empty file", id="an empty authority"),
        pytest.param({"ca_file": "damaged"}, None, "form in {damaged}, got a damaged one", id="a damaged authority"),
        pytest.param({"cert_file": "missing"}, None, "cert_file: cannot read {missing}", id="no certificate"),
        pytest.param(
            {"cert_file": "words", "key_file": "key"},
            None,
            "cert_file: expected a certificate in PEM form in {words}, got none",
            id="a certificate that is none",
        ),
        pytest.param({"cert_file": "client", "key_file": "missing"}, None, "key_file: cannot read", id="no key"),
        pytest.param(
            {"cert_file": "client"},
            None,
            "cert_file: expected a private key in PEM form in {client}",
            id="no key there",
        ),
        pytest.param({"cert_file": "client", "key_file": "damaged_key"}, None, "got a damaged one", id="a damaged key"),
        pytest.param(
            {"cert_file": "client", "key_file": "other_key"},
            None,
            "key_file: expected the key of the certificate in {client}, got that of another one in {other_key}",
            id="a key of another certificate",
        ),
        pytest.param(
            {"cert_file": "locked", "key_file": "locked_key"},
            None,
            "key_password: {locked_key} is encrypted; set its password",
            id="no password",
        ),
        pytest.param(
            {"cert_file": "locked", "key_file": "locked_key"},
            "wrong",
            "key_password: it does not open {locked_key}; set the password of that file",
            id="a wrong password",
        ),
        pytest.param({"key_file": "key"}, None, ": `key_file` and `key_password` need `cert_file`", id="only a key"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    files: Files, names: dict[str, str], password: str | None, sentence: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        tls_context(_settings(files, names, password))
    assert str(caught.value).startswith("kafka.tls")
    assert sentence.format(**files) in str(caught.value)


def test_a_relative_path_is_told_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=os.fspath(tmp_path / "ca.pem")):
        tls_context(TlsSettings(ca_file="ca.pem"))


@pytest.mark.parametrize("load", [load_settings, connect])
def test_files_are_checked_when_the_settings_are_read(tmp_path: Path, load: Callable[[Path], object]) -> None:
    path = tmp_path / "sluice.yaml"
    path.write_text('kafka: {bootstrap_servers: "k:1", tls: {ca_file: /nonexistent/ca.pem}}\ndestinations: {}\n')
    with pytest.raises(SettingsError, match=r"kafka\.tls\.ca_file: cannot read /nonexistent"):
        load(path)


def test_a_file_that_is_lost_later_makes_kafka_unreachable() -> None:
    lost = KafkaSettings(bootstrap_servers="k:1", tls=TlsSettings(ca_file="/nonexistent/ca.pem"))
    with pytest.raises(KafkaUnreachable, match=r"Kafka cannot be reached at k:1: kafka\.tls\.ca_file: cannot"):
        client_options(lost)


def _settings(files: Files, names: dict[str, str], password: str | None) -> TlsSettings:
    paths = {setting: files[name] for setting, name in names.items()}
    return TlsSettings(**paths, key_password=None if password is None else Secret(password))
