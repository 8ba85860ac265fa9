"""The page that says which test shows which row of Salesforce's wire: rows and tests exist, and none is forgotten."""

import ast
import re

import pytest

from tests.support.paths import ROOT

WIRE = (ROOT / "docs/wire/salesforce_bulk.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/salesforce_coverage.md").read_text(encoding="utf-8")
FOLDER = "tests/destinations/salesforce"
SECTIONS = ("5", "6", "7", "12", "13")
HEADS = {"Code", "Rule", "Limit", "Generic", "Failure class", "#", "row"}


def rows(text: str, heading: str) -> list[str]:
    """Return the first cell of each row of the tables below ``heading``, without the tables' heads."""
    section = re.split(rf"^## {heading}", text, flags=re.MULTILINE)[1].split("\n## ")[0]
    cells = re.findall(r"^\| (.+?) (?:\| .*)?\|$", section, re.MULTILINE)
    return [cell for cell in cells if cell not in HEADS]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_is_there(section: str) -> None:
    assert rows(WIRE, rf"{section}\.")
    assert rows(PAGE, f"Section {section}:") == rows(WIRE, rf"{section}\.")


def test_every_test_exists() -> None:
    cited = set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE))
    assert cited
    paths = {file: ROOT / (file if "/" in file else f"{FOLDER}/{file}") for file, _ in cited}
    there = {
        (file, node.name)
        for file, path in paths.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert cited - there == set()
