"""The committed API page is what its command writes, and names everything that is exported."""

import re

import sluice
from sluice.spec.api_page import api_page
from tests.support.paths import ROOT


def test_the_api_page_is_what_its_command_writes() -> None:
    committed = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert committed == api_page(), "docs/api.md is out of date; run: python -m sluice.spec.api_page"


def test_the_api_page_names_every_export_once() -> None:
    named = re.findall(r"^### (\w+)$|^- `(\w+) = ", api_page(), re.MULTILINE)
    assert {name for names in named for name in names if name} >= set(sluice.__all__)


def test_no_markup_of_docstrings_is_left_in_the_api_page() -> None:
    assert re.findall(r"(?<!`)``(?!`)|:\w+:`|::$", api_page(), re.MULTILINE) == []
