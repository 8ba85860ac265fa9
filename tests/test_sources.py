"""What the code and the docs cite can be looked up in the repository.

``blueconic.md §3`` cites a section of ``docs/wire/blueconic.md``; a bare ``§3`` cites the document of the vendor whose
folder or page it stands in. ``§13.5`` is a subsection, or a numbered row or list item of section 13.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT, SERVICES

DOCS = ROOT / "docs"
FILES = [*sorted(SERVICES.rglob("*.py")), *sorted(DOCS.rglob("*.md"))]
CITATION = re.compile(r"(?:\b(?P<other>RFC \d+)|(?P<document>[\w-]+)\.md\b`?)?\s*§+(?P<section>\d+(?:\.\d+)*)")
DOCUMENT = re.compile(r"(?<![\w./:-])[\w./-]+\.md\b")


def sections_of(text: str) -> set[str]:
    found, section = set(), ""
    for line in text.splitlines():
        if heading := re.match(r"#+ (\d+(?:\.\d+)*)?", line):
            section = heading[1] or ""
            found.add(section)
        elif item := re.match(r"(?:\| )?(\d+)(?: \||\. )", line):
            found.add(f"{section}.{item[1]}")
    return found


CITABLE = {path.stem: path for path in [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("wire/*.md")]}
WIRES = sorted(path.stem for path in DOCS.glob("wire/[a-z]*.md"))
SECTIONS = {name: sections_of(path.read_text(encoding="utf-8")) for name, path in CITABLE.items()}


def wire_of(path: Path) -> str | None:
    """Return the document of the vendor in whose folder or page ``path`` is: of ``salesforce``, salesforce_bulk."""
    names = [*path.parent.parts, path.stem]
    return next((wire for name in names for wire in WIRES if wire == name or wire.startswith(f"{name}_")), None)


def wrong_citations(path: Path, text: str) -> Iterator[str]:
    """Yield file, line and reason of each. Other bodies' documents, such as RFCs, are not checked."""
    for found in CITATION.finditer(text):
        document = found["document"] or wire_of(path)
        if found["other"] or found["section"] in SECTIONS.get(document or "", ()):
            continue
        line = text.count("\n", 0, found.end()) + 1
        reason = f"{document}.md has no such section" if document in CITABLE else f"there is no {document}.md"
        yield f"{path}:{line}: {found[0].strip()}: {reason if document else 'of which document?'}"


def missing_documents(path: Path, text: str) -> Iterator[str]:
    for found in DOCUMENT.finditer(text):
        name = found[0]
        if not ((ROOT / name).exists() if "/" in name else Path(name).stem in CITABLE):
            yield f"{path}:{text.count(chr(10), 0, found.end()) + 1}: {name}"


def test_sections_that_are_cited_exist() -> None:
    wrong = [fault for path in FILES for fault in wrong_citations(path.relative_to(ROOT), path.read_text("utf-8"))]
    assert wrong == [], "\n".join(wrong)


def test_documents_that_the_code_names_exist() -> None:
    files = [path for path in FILES if path.suffix == ".py"]
    missing = [name for path in files for name in missing_documents(path.relative_to(ROOT), path.read_text("utf-8"))]
    assert missing == [], "\n".join(missing)


@pytest.mark.parametrize(
    ("path", "text", "faults"),
    [
        pytest.param("services/sandbox/salesforce/ids.py", "§3.11, §13.21 and salesforce_bulk.md\n§4", 0, id="right"),
        pytest.param("services/sandbox/salesforce/ids.py", "§3.12", 1, id="no such subsection"),
        pytest.param("docs/sandbox/bloom_growth.md", "§3.34, §3.35", 1, id="no such row"),
        pytest.param("services/sluice/topics.py", "`blueconic.md` §99, nowhere.md §1", 2, id="named"),
        pytest.param("services/sluice/topics.py", "§1", 1, id="bare where there is no vendor"),
        pytest.param("services/sluice/topics.py", "RFC 9457 §3", 0, id="of another body's document"),
    ],
)
def test_a_wrong_citation_is_found(path: str, text: str, faults: int) -> None:
    assert len(list(wrong_citations(Path(path), text))) == faults
