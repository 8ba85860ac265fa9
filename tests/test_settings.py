"""A settings file that cannot be used is refused with one sentence that says what to do."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from sluice.settings import Settings, load_settings, parse_settings, settings_schema
from sluice.settings_file import SettingsError

GOOD = """
kafka:
  bootstrap_servers: localhost:9092
  sasl: {mechanism: PLAIN, username: sluice, password: "${env:KAFKA_PASSWORD}"}
destinations:
  crm:
    to:
      kind: blueconic
      url: https://acme.blueconic.net
      client_id: app-123
      client_secret: ${env:CRM_SECRET}
    window: {max_items: 500, max_age_s: 0.2}
    delivery: {drain_timeout_s: 5}
"""
ENVIRON = {"KAFKA_PASSWORD": "hunter2", "CRM_SECRET": "hunter3", "PORT": "9500", "EMPTY": ""}


def settings(text: str = GOOD) -> Settings:
    return parse_settings(text, ENVIRON)


def complaint(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(text)
    return str(caught.value)


def test_a_good_file_is_read() -> None:
    crm = settings().destination("crm")
    assert (crm.window.max_items, crm.window.max_age_s, crm.window.max_bytes) == (500, 0.2, None)
    assert crm.account.url == "https://acme.blueconic.net"
    assert crm.delivery.drain_timeout_s == 5.0


def test_what_is_left_out_has_its_default() -> None:
    assert settings().topic_prefix == ""
    assert settings().tracing.otlp_endpoint is None
    assert settings().destination("crm").ordering == "key"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(GOOD, "", "expected a mapping with `kafka` and `destinations`, got NoneType", id="empty"),
        pytest.param(GOOD, "- kafka\n", "expected a mapping with `kafka` and `destinations`, got list", id="a list"),
        pytest.param(GOOD, "kafka: [1", "settings is not YAML: ", id="not yaml"),
        pytest.param(GOOD, "kafka: !!python/name:os.system x", "settings is not YAML: ", id="yaml that runs code"),
        pytest.param("kafka:", "kafak:", "unknown key `kafak`; did you mean `kafka`?", id="key at the top"),
        pytest.param("max_items", "max_item", "`destinations.crm.window.max_item`; did you mean", id="key below"),
        pytest.param(
            "drain_timeout_s", "max_concurrent", "did you mean `max_concurrent_per_writer`?", id="an earlier name"
        ),
        pytest.param(
            "drain_timeout_s", "requests_per_s", "did you mean `requests_per_s_per_writer`?", id="another earlier name"
        ),
        pytest.param("client_id", "clientid", "`destinations.crm.to.clientid`; did you mean", id="key of a kind"),
        pytest.param("max_items", "frob", "`max_items`, `max_bytes`, `max_age_s`", id="a key that is near to none"),
        pytest.param("blueconic\n", "bluconic\n", "to.kind`; did you mean `blueconic`?", id="unknown kind"),
        pytest.param("      kind: blueconic\n", "", "missing `destinations.crm.to.kind`; known are", id="no kind"),
        pytest.param("kafka:", "kafka: {}\nkafka:", "the key `kafka` stands twice at line", id="a key twice"),
        pytest.param(
            "${env:CRM_SECRET}",
            "${env:}",
            "expected ${env:NAME} or ${file:path}, got ${env:}",
            id="a placeholder without name",
        ),
        pytest.param("bootstrap_servers", "#", "missing required field `bootstrap_servers`", id="a missing field"),
        pytest.param("kafka:", "x: " + 20_000 * "[", "expected a few levels of YAML", id="lists without end"),
        pytest.param("kafka:", "\0", "not YAML: it holds the character U+0000 at position", id="not text"),
        pytest.param("timeout_s: 5", "timeout_s: .inf", "Expected `float` <= 3600.0 - at", id="a time without end"),
        pytest.param("timeout_s: 5", "timeout_s: .nan", "Expected `float` > 0.0 - at", id="a time that is none"),
        pytest.param("items: 500", "items: many", "Expected `int | null`, got `str` - at", id="a word for a number"),
        pytest.param("items: 500", "items: 0", "Expected `int` >= 1 - at", id="a number out of range"),
        pytest.param("PLAIN", "KERBEROS", "'KERBEROS' - at `$.kafka.sasl.mechanism`", id="a word that is not offered"),
        pytest.param("https://", "", "matching regex '^https?://[^/]+' - at", id="a url without scheme"),
        pytest.param("  crm:", "  CRM:", "regex '^[a-z0-9][a-z0-9-]*$' - at `key`", id="a destination in upper case"),
        pytest.param("CRM_SECRET", "CRM_SECERT", "set the environment variable CRM_SECERT", id="a variable not set"),
        pytest.param("env:CRM_SECRET", "file:no/file", "${file:no/file} cannot be read: No such", id="a missing file"),
        pytest.param("{drain_timeout_s: 5}", "[5]", "Expected `object`, got `array` - at", id="a list for a block"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    message = complaint(GOOD.replace(old, new))
    assert message.startswith("settings")
    assert expected in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param(b"\xff\xfe", "expected UTF-8, got the byte 0xff at position 0", id="not text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path, secret = tmp_path / "settings.yaml", tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
        secret.write_bytes(content)
    with pytest.raises(SettingsError, match=f"cannot read the settings file {path}: {reason}; name one with --config"):
        load_settings(path, ENVIRON)
    with pytest.raises(SettingsError, match=f"secret}} cannot be read: {reason}"):
        parse_settings(GOOD.replace("env:CRM_SECRET", "file:secret"), ENVIRON, base=tmp_path)


def test_an_unknown_destination_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="no destination 'cmr' in the settings; did you mean `crm`"):
        settings().destination("cmr")


def test_a_secret_may_stand_in_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter4\n", encoding="utf-8")
    (tmp_path / "settings.yaml").write_text(GOOD.replace("env:KAFKA_PASSWORD", "file:secret"), encoding="utf-8")
    sasl = load_settings(tmp_path / "settings.yaml", ENVIRON).kafka.sasl
    assert sasl is not None
    assert sasl.password.reveal() == "hunter4"


def test_a_number_may_come_from_the_environment() -> None:
    assert settings(GOOD + 'http: {port: "${env:PORT}"}\n').http.port == 9500


def test_a_secret_is_never_printed() -> None:
    printed = repr(settings()) + str(settings())
    assert "hunter" not in printed
    assert "password=***" in printed


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("client_secret: ${env:CRM_SECRET}\n      timeout_s: soon", id="beside a wrong value"),
        pytest.param("client_secret: [${env:CRM_SECRET}]", id="in a wrong value"),
        pytest.param("client_secrets: ${env:CRM_SECRET}", id="under an unknown key"),
        pytest.param("client_id: 5\n      url: ${env:CRM_SECRET}", id="in the wrong place"),
    ],
)
def test_a_refusal_does_not_print_a_secret(bad: str) -> None:
    assert "hunter" not in complaint(GOOD.replace("client_secret: ${env:CRM_SECRET}", bad))


def test_the_published_schema_accepts_a_good_file() -> None:
    jsonschema.Draft202012Validator(settings_schema()).validate(yaml.safe_load(GOOD))


def test_the_published_schema_knows_secrets_from_other_text() -> None:
    assert json.dumps(settings_schema()).count('"writeOnly": true') >= 3
