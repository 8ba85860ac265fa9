"""The rooms of the house and the directions between them, read from the source: ``docs/architecture.md``.

A room is a folder; a file at the top of a package is a room of its own. Whatever is added is found by itself.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.paths import ROOT, SERVICES

MAX_LINES = 300
IMPURE = {"aiohttp", "aiokafka", "asyncio", "httpx", "logging", "opentelemetry", "os", "pathlib", "random", "secrets"}
IMPURE |= {"socket", "subprocess", "threading", "time", "uuid"}
CLOCKS = {"now", "utcnow", "today"}
MEANINGLESS = {"common", "util", "utils", "helper", "helpers", "core", "misc", "base", "manager", "shared"}
CLAUSES = {"What", "Whether", "Those", "Where", "Whoever", "Not", "Nothing", "How"}
"""Words that begin a clause: a docstring that opens with one has no verb to say what its function does."""


class Module(NamedTuple):
    """A source file; ``name`` is how it is imported."""

    path: Path
    name: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def room(self) -> str:
        return room_of(self.name)

    @property
    def imports(self) -> set[str]:
        """The modules that it imports anywhere, also for type checkers and inside functions."""
        return {name for node in ast.walk(self.tree) for name in _imported(node)}


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, level=level, names=names):
            source = "." * level + (module or "")
            submodules = [f"{source}.{alias.name}" for alias in names]
            return [name for name in submodules if name in NAMES] or [source]
    return []


def _name_of(path: Path) -> str:
    return ".".join(path.relative_to(SERVICES).with_suffix("").parts).removesuffix(".__init__")


PATHS = {_name_of(path): path for path in sorted(SERVICES.rglob("*.py"))}
NAMES = set(PATHS)
MODULES = [Module(path, name, ast.parse(path.read_text(encoding="utf-8"))) for name, path in PATHS.items()]
SLUICE = [module for module in MODULES if module.package == "sluice"]
PROCESSES = {f"sluice.{path.parent.name}" for path in SERVICES.glob("sluice/*/__main__.py")}


def room_of(name: str) -> str:
    """Return ``sluice.kafka`` for ``sluice.kafka.clients``, ``sluice.events`` for itself."""
    return ".".join(name.split(".")[:2])


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Return names of which each points to the next, and the last to the first; none if there is no circle."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return names[:0:-1]
    return []


def wrong_imports(modules: Iterable[Module], forbidden: Iterable[str]) -> list[str]:
    rooms = set(forbidden)
    return [
        f"{module.name} imports {name}"
        for module in modules
        for name in module.imports
        if room_of(name) in rooms and room_of(name) != module.room
    ]


def in_room(room: str) -> list[Module]:
    found = [module for module in SLUICE if module.room == f"sluice.{room}"]
    assert found, f"there is no room {room}"
    return found


def test_no_two_files_import_each_other() -> None:
    assert circle({module.name: module.imports & NAMES for module in MODULES}) == []


def test_no_two_rooms_import_each_other() -> None:
    arrows: dict[str, set[str]] = {module.room: set() for module in MODULES}
    for module in MODULES:
        arrows[module.room] |= {room_of(name) for name in module.imports & NAMES} - {module.room}
    assert circle(arrows) == []


def test_rooms_do_not_import_processes_nor_processes_each_other() -> None:
    assert PROCESSES
    assert wrong_imports(SLUICE, PROCESSES) == []


def test_events_import_nothing_of_ours() -> None:
    assert [name for module in in_room("events") for name in module.imports if name.startswith("sluice")] == []


def test_the_pure_core_imports_events_and_setting_types_alone() -> None:
    allowed = {"sluice.events", "sluice.setting_types", "sluice.flow"}
    assert wrong_imports(in_room("flow"), {module.room for module in SLUICE} - allowed) == []


@pytest.mark.parametrize("module", [pytest.param(module, id=module.name) for module in in_room("flow")])
def test_the_pure_core_has_no_clock_no_randomness_and_no_io(module: Module) -> None:
    assert [name for name in module.imports if name.partition(".")[0] in IMPURE] == []
    calls = [node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if isinstance(call, ast.Attribute) and call.attr in CLOCKS] == []


def test_destinations_know_the_contract_and_http_and_never_kafka() -> None:
    allowed = {"sluice.destinations", "sluice.flow", "sluice.events", "sluice.setting_types", "sluice.wall_clock"}
    assert wrong_imports(in_room("destinations"), {module.room for module in SLUICE} - allowed) == []


@pytest.mark.parametrize(
    ("room", "library"),
    [
        pytest.param("destinations", "aiokafka", id="destinations have no kafka client"),
        pytest.param("kafka", "httpx", id="kafka has no http client"),
        pytest.param("kafka", "sluice.destinations", id="kafka knows no vendor"),
    ],
)
def test_a_room_keeps_to_its_own_edge(room: str, library: str) -> None:
    assert [module.name for module in in_room(room) if any(name.startswith(library) for name in module.imports)] == []


def test_who_only_consumes_loads_no_kind_of_destination() -> None:
    code = "import sys, sluice; print([name for name in sys.modules if name == 'httpx' or 'blueconic' in name])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_nothing_inside_imports_the_facade() -> None:
    assert [module.name for module in SLUICE if "sluice" in module.imports] == []


def test_imports_are_absolute() -> None:
    assert [module.name for module in MODULES for name in module.imports if name.startswith(".")] == []


@pytest.mark.parametrize(
    ("package", "other"),
    [
        pytest.param("sandbox", "sluice", id="the sandbox judges sluice from outside"),
        pytest.param("sluice", "sandbox", id="the product does not ship the sandbox"),
    ],
)
def test_sluice_and_the_sandbox_do_not_import_each_other(package: str, other: str) -> None:
    modules = [module for module in MODULES if module.package == package]
    assert modules
    assert [module.name for module in modules if any(room_of(name).startswith(other) for name in module.imports)] == []


def test_the_environment_is_read_for_the_settings_alone() -> None:
    readers = {
        module.name
        for module in SLUICE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    # `connection` reads the same file for people who need not hold a vendor's credentials.
    assert readers <= {"sluice.settings", "sluice.client.connection"}


TESTED_AS = {
    "sluice.cli.person": "sluice.cli.guard",
    "sluice.cli.publish": "sluice.cli.publish.command",
    "sluice.cli.receipt_text": "sluice.cli.outcomes",
    "sluice.cli.terminal": "sluice.cli.outcomes",
    "sluice.cli.vendor_jobs": "sluice.cli.vendor_jobs.command",
    "sluice.destinations.blueconic": "sluice.destinations.blueconic.entries",
    "sluice.destinations.bloom_growth.answers": "sluice.destinations.bloom_growth.api",
    "sluice.destinations.bloom_growth.errors": "sluice.destinations.bloom_growth.api",
    "sluice.destinations.bloom_growth.field_values": "sluice.destinations.bloom_growth.records",
    "sluice.destinations.bloom_growth.fields": "sluice.destinations.bloom_growth.records",
    "sluice.destinations.contract": "sluice.destinations.http",
    "sluice.setting_types": "sluice.settings",
    "sluice.settings_file": "sluice.settings",
    "sluice.spec.docstrings": "sluice.spec.json_schemas",
    "sluice.writer.delivery.sender": "sluice.writer.delivery.batch_sender",
}
"""Parts, or folders of parts, without tests of their own: they are tested through the file that uses them."""


def _tests_of(name: str) -> list[Path]:
    """Where the tests of module ``name`` may be: under its name, its folder's, or that of the file that uses it."""
    folder = name.rpartition(".")[0]
    names = {name, folder, TESTED_AS.get(name, name), TESTED_AS.get(folder, name)}
    return [ROOT.joinpath("tests", *one.split(".")[1:-1], f"test_{one.split('.')[-1]}.py") for one in names]


def test_the_tests_of_a_module_are_found_by_its_name() -> None:
    acting = [one for one in SLUICE if "def " in ast.unparse(one.tree) and not one.path.stem.startswith("__")]
    assert [one.name for one in acting if not any(path.exists() for path in _tests_of(one.name))] == []


@pytest.mark.parametrize("module", [pytest.param(module, id=module.name) for module in MODULES])
def test_a_file_is_one_concept(module: Module) -> None:
    lines = len(module.path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{lines} lines; past {MAX_LINES} a file is more than one concept: split it"
    assert module.path.stem not in MEANINGLESS, f"{module.path.name} says nothing; name the concept that is in it"
    assert ast.get_docstring(module.tree) or not module.tree.body, f"{module.path} does not say what it is"


@pytest.mark.parametrize("module", [pytest.param(module, id=module.name) for module in MODULES])
def test_a_docstring_opens_with_a_verb_or_a_noun(module: Module) -> None:
    assert [text for text in _docstrings(module.tree) if text.split()[0].rstrip(",.:") in CLAUSES] == []


def _docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from filter(None, [ast.get_docstring(node)])
