"""Pages that say which test shows which row of a vendor's wire: rows and tests exist, and none is forgotten.

A page of a new kind gets a line in ``PAGES``. It has a heading for each section, such as ``## Section 5: …`` or
``## Mapping``, and below it a table whose first cells are those of the document; of a section without a table, the
numbers of its list items. The second cell names tests, or says why there are none.
"""

import ast
import re
from typing import NamedTuple

import pytest

from tests.support.paths import ROOT


class Coverage(NamedTuple):
    """A page, the document whose rows it lists, and the folder of tests that it cites without a path."""

    page: str
    wire: str
    folder: str
    sections: tuple[str, ...]

    @property
    def text(self) -> str:
        return (ROOT / "docs" / f"{self.page}.md").read_text(encoding="utf-8")

    @property
    def wire_text(self) -> str:
        return (ROOT / "docs/wire" / f"{self.wire}.md").read_text(encoding="utf-8")


PAGES = (
    Coverage("blueconic_coverage", "blueconic", "blueconic", (*map(str, range(1, 11)), "Mapping", "11", "12")),
    Coverage("salesforce_coverage", "salesforce_bulk", "salesforce", ("5", "6", "7", "12", "13")),
)
EACH_PAGE = pytest.mark.parametrize("coverage", [pytest.param(one, id=one.page) for one in PAGES])


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of each row of the tables below ``heading``, without heads and without empty first cells.

    Where there is no table, the rows are the numbers of the list items.
    """
    section = re.split(rf"^## {heading}", text, flags=re.MULTILINE)[1].split("\n## ")[0]
    lines = re.sub(r"^```.*?^```", "", section, flags=re.DOTALL | re.MULTILINE).splitlines()
    tables = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if not after.startswith("|---")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in tables if line.startswith("| ")]
    items = [[str(number)] for number, _ in enumerate(re.findall(r"^- ", section, re.MULTILINE), 1)]
    return [row if row[0] else row[1:] for row in cells] or items


@pytest.mark.parametrize(
    ("coverage", "section"),
    [pytest.param(one, section, id=f"{one.page} {section}") for one in PAGES for section in one.sections],
)
def test_every_row_is_there(coverage: Coverage, section: str) -> None:
    is_number = section.isdigit()
    wanted = rows(coverage.wire_text, rf"{section}\." if is_number else section)
    found = rows(coverage.text, f"Section {section}:" if is_number else section)
    assert [row[0] for row in found] == [row[0] for row in wanted]
    assert [row for row in found if not row[1]] == []


@EACH_PAGE
def test_a_page_has_rows(coverage: Coverage) -> None:
    assert len(re.findall(r"^\| ", coverage.text, re.MULTILINE)) > 2 * len(coverage.sections)


@EACH_PAGE
def test_every_test_exists(coverage: Coverage) -> None:
    cited = set(re.findall(r"`([\w/]+\.py)::(\w+)`", coverage.text))
    assert cited
    folder = f"tests/destinations/{coverage.folder}"
    paths = {file: ROOT / (file if "/" in file else f"{folder}/{file}") for file, _ in cited}
    there = {
        (file, node.name)
        for file, path in paths.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert cited - there == set()


def test_rows_are_read_without_heads_and_code() -> None:
    table = "| head | x |\n|---|---|\n| a | b\\|c |\n| | d | e |\n"
    text = f"## 1. A\n\n{table}\n```\n| no | row |\n```\n## 2. B\n- x\n- y\n## 3. C\n"
    assert [rows(text, rf"{section}\.") for section in (1, 2, 3)] == [
        [["a", "b\\|c"], ["d", "e"]],
        [["1"], ["2"]],
        [],
    ]
