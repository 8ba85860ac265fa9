"""What docs/salesforce.md shows is true: settings are valid, events are taken, and each setting and code is named."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice.destinations.salesforce.bulk1 import Bulk1
from sluice.destinations.salesforce.bulk2 import Bulk2
from sluice.destinations.salesforce.row_errors import RETRYABLE
from sluice.destinations.salesforce.settings import Bulk1Settings, Bulk2Settings
from sluice.events import RecordEvent
from sluice.settings import parse_settings
from tests.support.paths import ROOT

PAGE = (ROOT / "docs/salesforce.md").read_text(encoding="utf-8")
YAML = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
JSON = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
EVENTS = [line for block in JSON for line in block.splitlines()]
SECRETS = dict.fromkeys(("SF_CLIENT_ID", "SF_CLIENT_SECRET", "SF_PASSWORD", "SF_TOKEN"), "x")
SOURCES = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("destinations/salesforce", "writer/vendor_jobs", "writer/lanes")
    for path in (ROOT / "services/sluice" / folder).glob("*.py")
)


def settings_of(text: str, folder: Path) -> dict[str, Any]:
    """Return the account of each destination in ``text``."""
    (folder / "salesforce.pem").write_text("a key", encoding="utf-8")
    settings = parse_settings(text.replace("/run/secrets/", f"{folder}/"), SECRETS)
    return {name: entry.to for name, entry in settings.destinations.items()}


@pytest.mark.parametrize("text", YAML)
def test_its_settings_are_valid(text: str, tmp_path: Path) -> None:
    assert settings_of(text, tmp_path)


def test_it_shows_every_flow(tmp_path: Path) -> None:
    accounts = [account for text in YAML for account in settings_of(text, tmp_path).values()]
    flows = {account.login.__struct_config__.tag for account in accounts}
    assert flows == {"soap", "client_credentials", "jwt", "password"}


@pytest.mark.parametrize("line", EVENTS)
def test_its_events_are_taken(line: str, tmp_path: Path) -> None:
    common = {"event_id": "1", "occurred_at": "2026-01-05T09:30:00Z"}
    event = msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(line) | common), type=RecordEvent)
    account = settings_of(YAML[0], tmp_path)["crm"]
    assert Bulk1(account).encode(event, "3-7").batch_key.startswith(f"{event.object}/{event.operation}")


def test_it_names_every_setting_with_its_default() -> None:
    named = dict(re.findall(r"^\| `(\w+)`(?: \([12]\.0\))? \| (\S*) ", PAGE, re.MULTILINE))
    for kind in (Bulk1Settings, Bulk2Settings):
        for field in msgspec.structs.fields(kind):
            assert field.name in named, field.name
            if isinstance(field.default, int | float | str):
                default = field.default if isinstance(field.default, str) else f"{field.default:g}"
                assert named[field.name].strip("`") == ("true" if field.default is True else default), field.name


def test_its_limits_are_those_of_the_kinds(tmp_path: Path) -> None:
    accounts = settings_of(YAML[1], tmp_path)
    one, two = Bulk1(accounts["by-soap"]).limits, Bulk2(accounts["by-app"]).limits
    assert f"| records of a batch | {one.max_items:,} | {two.max_items:,};" in PAGE
    assert f"| bytes of a batch | {one.max_bytes:,} | {two.max_bytes:,} |" in PAGE


def test_it_names_all_codes_of_rows_that_are_tried_again() -> None:
    assert [code for code in RETRYABLE if f"`{code}`" not in PAGE] == []


def test_every_code_of_ours_that_it_names_exists() -> None:
    codes = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PAGE))
    assert codes
    assert [code for code in codes if f'"{code}"' not in SOURCES] == []
