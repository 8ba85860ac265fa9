"""What the README and the docs say can be done, can be done: commands, options, paths, links, settings, imports exist.

The vendors' wire documents in ``docs/wire`` are full of the vendors' own paths: only their links are looked at.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import sluice
from sluice.cli.__main__ import sluice as sluice_command
from sluice.settings import parse_settings
from tests.support.paths import ROOT, SERVICES

README = Path("README.md")
DOCS = {
    path.relative_to(ROOT): path.read_text(encoding="utf-8")
    for path in [ROOT / README, *sorted(ROOT.glob("docs/**/*.md"))]
}
PAGES = {path: page for path, page in DOCS.items() if path.parent != Path("docs/wire") or path.stem == "README"}
VENDORS = {path for path in PAGES if path.parent == Path("docs/sandbox") and path.stem != "README"}
"""Pages that name a vendor's paths beside ours."""
SECRETS = {"CRM_CLIENT_ID": "id", "CRM_CLIENT_SECRET": "secret"}


def blocks(language: str, pages: Iterable[str] = PAGES.values()) -> Iterator[str]:
    for page in pages:
        yield from re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def commands(program: str) -> list[str]:
    """Return lines of shell blocks, and commands in the text, that begin with ``program``."""
    lines = [line.split(" #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    inline = [code for page in PAGES.values() for code in re.findall(r"`([^`\n]+)`", page)]
    return sorted({line for line in [*lines, *inline] if line.startswith(f"{program} ")})


@pytest.mark.parametrize("line", commands("sluice"))
def test_a_command_of_the_docs_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = sluice_command
    while words and isinstance(command, click.Group):
        if words[0] == "--config":
            words = words[2:]
            continue
        assert words[0] in command.commands, f"no command {words[0]!r} in {line!r}"
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("line", commands("make"))
def test_a_target_of_the_docs_exists(line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert line.split()[1] in targets


def test_modules_that_the_docs_run_exist() -> None:
    modules = {name for page in PAGES.values() for name in re.findall(r"python -m ([a-z0-9_.]+)", page)}
    assert modules
    assert [name for name in modules if find_spec(name) is None] == []


def test_paths_of_the_docs_exist() -> None:
    words = {
        (path, word)
        for path, page in PAGES.items()
        for word in re.findall(r"[`(]([A-Za-z_.-]+(?:/[\w.-]+)+)[`)]", page)
        if path not in VENDORS or (ROOT / word.split("/")[0]).is_dir()
    }
    assert words
    assert [(path, word) for path, word in words if not any((root / word).exists() for root in _roots(path))] == []


def _roots(path: Path) -> list[Path]:
    """Return where the paths of a page may begin: those of the architecture page begin in sluice."""
    inside = [SERVICES / "sluice"] if path.name == "architecture.md" else []
    return [ROOT, ROOT / path.parent, *inside]


def test_files_of_the_docs_exist() -> None:
    files = {path.name for part in ("services", "tests") for path in (ROOT / part).rglob("*.py")}
    named = {word for path, page in PAGES.items() if path not in VENDORS for word in re.findall(r"`(\w+\.py)`", page)}
    assert named - files == set()


def test_links_of_the_docs_lead_somewhere() -> None:
    links = {(path, link) for path, page in DOCS.items() for link in re.findall(r"\]\(([^)#:]+)[^):]*\)", page)}
    assert links
    assert [(path, link) for path, link in links if not (ROOT / path.parent / link).exists()] == []


def test_settings_of_the_readme_are_valid(tmp_path: Path) -> None:
    (text,) = blocks("yaml", [PAGES[README]])
    (tmp_path / "kafka").write_text("password", encoding="utf-8")
    settings = parse_settings(text.replace("/run/secrets/", f"{tmp_path}/"), SECRETS)
    assert set(settings.destinations) == {"crm"}


def test_names_that_the_readme_imports_are_exported() -> None:
    imports = re.findall(r"^from sluice import (.+)$", PAGES[README], re.MULTILINE)
    names = {name.strip() for line in imports for name in line.split(",")}
    assert names
    assert names <= set(sluice.__all__)


def test_imports_of_the_docs_exist() -> None:
    lines = {line for page in PAGES.values() for line in re.findall(r"^from (\S+) import (.+)$", page, re.MULTILINE)}
    assert lines
    names = [(module, name.strip()) for module, names in lines for name in names.split(",")]
    assert [(module, name) for module, name in names if not hasattr(import_module(module), name)] == []
