"""What the README and the docs say can be done, can be done: commands, options, paths, settings and imports exist."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import sluice
from sluice.cli.__main__ import sluice as sluice_command
from sluice.settings import parse_settings
from tests.support.paths import ROOT

PAGES = {path.name: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]}
SECRETS = {"CRM_CLIENT_ID": "id", "CRM_CLIENT_SECRET": "secret"}


def blocks(language: str) -> Iterator[str]:
    for page in PAGES.values():
        yield from re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def commands(program: str) -> list[str]:
    """Lines of shell blocks, and commands in the text, that begin with ``program``."""
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
        word
        for name, page in PAGES.items()
        for word in re.findall(r"[`(]([A-Za-z_.-]+(?:/[\w.-]+)+)[`)]", page)
        # A vendor's page is full of that vendor's own paths.
        if not name.startswith("sandbox-") or (ROOT / word.split("/")[0]).is_dir()
    }
    assert words
    assert [word for word in words if not ((ROOT / word).exists() or (ROOT / "docs" / word).exists())] == []


def test_settings_of_the_readme_are_valid(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    (tmp_path / "kafka").write_text("password", encoding="utf-8")
    settings = parse_settings(text.replace("/run/secrets/", f"{tmp_path}/"), SECRETS)
    assert set(settings.destinations) == {"crm"}


def test_names_that_the_readme_imports_are_exported() -> None:
    imports = re.findall(r"^from sluice import (.+)$", PAGES["README.md"], re.MULTILINE)
    names = {name.strip() for line in imports for name in line.split(",")}
    assert names
    assert names <= set(sluice.__all__)
