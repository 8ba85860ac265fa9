"""What the vendors' pages show is true: settings are valid, events are taken, and each setting and code is named.

A page of a new vendor gets a line in ``PAGES``. What only one vendor's page says is tested in that kind's folder.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from sluice.destinations import KINDS, load_kind, open_destination
from sluice.events import RecordEvent
from sluice.settings import parse_settings
from tests.support.paths import ROOT

ROOMS = ("writer/delivery", "writer/lanes", "writer/vendor_jobs")
"""Rooms that give a record a code of ours, beside the kind."""


class VendorPage(NamedTuple):
    """A page, and its kinds by their names in the settings. Its folder of the code is named as the page is."""

    name: str
    kinds: tuple[str, ...]

    @property
    def text(self) -> str:
        return (ROOT / "docs" / f"{self.name}.md").read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```", self.text, re.DOTALL | re.MULTILINE)

    @property
    def events(self) -> list[str]:
        return [line for block in self.blocks("json") for line in block.splitlines()]

    def accounts(self, text: str, folder: Path) -> dict[str, Any]:
        """Return the account of each destination in ``text``, whose secrets are made up."""
        secrets = dict.fromkeys(re.findall(r"\$\{env:(\w+)\}", text), "x")
        for name in re.findall(r"/run/secrets/([\w.-]+)", text):
            (folder / name).write_text("a secret", encoding="utf-8")
        settings = parse_settings(text.replace("/run/secrets/", f"{folder}/"), secrets)
        return {name: entry.to for name, entry in settings.destinations.items()}

    @property
    def sources(self) -> str:
        folders = [ROOT / "services/sluice" / room for room in (f"destinations/{self.name}", *ROOMS)]
        return "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.py"))


PAGES = (
    VendorPage("blueconic", ("blueconic",)),
    VendorPage("liquid_decisions", ("liquid_decisions",)),
    VendorPage("salesforce", ("salesforce_bulk1", "salesforce_bulk2")),
)
EACH_PAGE = pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
EACH_YAML = [pytest.param(page, text, id=f"{page.name}") for page in PAGES for text in page.blocks("yaml")]
EACH_EVENT = [pytest.param(page, line, id=f"{page.name} {line[:60]}") for page in PAGES for line in page.events]


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """Return a setting's default as a page writes it; nothing for a setting that must be given."""
    made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    match made:
        case bool():
            return "true" if made else "false"
        case int() | float():
            return f"{made:g}"
        case msgspec.NODEFAULT:
            return ""
        case _:
            return str(made) if made else "none"


@pytest.mark.parametrize(("page", "text"), EACH_YAML)
def test_its_settings_are_valid(page: VendorPage, text: str, tmp_path: Path) -> None:
    kinds = {account.__struct_config__.tag for account in page.accounts(text, tmp_path).values()}
    assert kinds
    assert kinds <= set(page.kinds)


@EACH_PAGE
def test_it_names_its_kinds(page: VendorPage) -> None:
    assert set(page.kinds) <= KINDS.keys()
    assert [kind for kind in page.kinds if f"`{kind}`" not in page.text] == []


@pytest.mark.parametrize(("page", "line"), EACH_EVENT)
async def test_its_events_are_taken(page: VendorPage, line: str, tmp_path: Path) -> None:
    common = {"event_id": "1", "occurred_at": "2026-01-05T09:30:00Z"}
    event = msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(line) | common), type=RecordEvent)
    first, *_ = page.accounts(page.blocks("yaml")[0], tmp_path).values()
    account = open_destination(first)
    assert account.encode(event, "3-7").body
    await account.aclose()


@EACH_PAGE
def test_it_names_every_setting_with_its_default(page: VendorPage) -> None:
    named = dict(re.findall(r"^\| `(\w+)`(?: \([12]\.0\))? \| (\S*) ", page.text, re.MULTILINE))
    fields = [field for kind in page.kinds for field in msgspec.structs.fields(load_kind(kind).settings)]
    assert {field.name: named.get(field.name, "absent").strip("`|") for field in fields} == {
        field.name: default_of(field) for field in fields
    }


@EACH_PAGE
def test_every_code_of_ours_that_it_names_exists(page: VendorPage) -> None:
    codes = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", page.text))
    assert codes
    assert [code for code in codes if f'"{code}"' not in page.sources] == []
