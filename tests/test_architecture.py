"""The direction of dependencies, DESIGN §9: processes → edges → pure core → events; read from the source, not run."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SERVICES = Path(__file__).parents[1] / "services"
MAX_LINES = 300

CORE = {"destination", "windows", "offsets", "ordering", "retrying", "journal"}
"""No I/O, no clock, no asyncio, no randomness: ``now`` and ``uniform`` are parameters."""
PROCESSES = {path.parent.name for path in SERVICES.glob("sluice/*/__main__.py")}
IMPURE = {"aiohttp", "aiokafka", "asyncio", "httpx", "logging", "opentelemetry", "os", "pathlib", "random", "secrets"}
IMPURE |= {"socket", "subprocess", "threading", "time", "uuid"}
FOR_DESTINATIONS = CORE | {"events", "destinations", "attempts", "http", "oauth", "secrets"}
MEANINGLESS = {"common", "util", "utils", "helper", "helpers", "core", "misc", "base", "manager", "shared"}


class Module(NamedTuple):
    """A source file; ``area`` is its first name inside its package: ``windows`` for ``sluice/windows.py``."""

    path: Path
    package: str
    area: str
    tree: ast.Module

    @property
    def imports(self) -> list[str]:
        """What running it imports, in full; what is only for type checkers does not count."""
        return sorted({name for node in _run(self.tree) for name in _imported(node)})


def _run(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")):
            yield child
            yield from _run(child)


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, level=level):
            return ["." * level + (module or "")]
    return []


def _module(path: Path) -> Module:
    parts = path.relative_to(SERVICES).with_suffix("").parts
    return Module(path, parts[0], parts[1], ast.parse(path.read_text(encoding="utf-8")))


MODULES = [_module(path) for path in sorted(SERVICES.rglob("*.py"))]
SLUICE = [module for module in MODULES if module.package == "sluice"]


def area_of(name: str) -> str | None:
    """``windows`` for ``sluice.windows``; ``None`` for what is not ours."""
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] if package == "sluice" else None


def wrong_imports(areas: set[str], allowed: set[str]) -> list[str]:
    return [
        f"{module.path.relative_to(SERVICES)} imports {name}"
        for module in SLUICE
        if module.area in areas
        for name in module.imports
        if (area := area_of(name)) is not None and area not in allowed | {module.area}
    ]


def test_events_import_nothing_of_ours() -> None:
    assert wrong_imports({"events"}, set()) == []


def test_the_core_imports_the_core_and_events() -> None:
    assert wrong_imports(CORE, CORE | {"events"}) == []


def test_destinations_know_the_contract_and_http_and_never_kafka() -> None:
    assert wrong_imports({"destinations"}, FOR_DESTINATIONS) == []


def test_edges_do_not_import_processes() -> None:
    areas = {module.area for module in SLUICE}
    assert wrong_imports(areas - PROCESSES, areas - PROCESSES) == []


def test_processes_do_not_import_each_other() -> None:
    areas = {module.area for module in SLUICE}
    for process in PROCESSES:
        assert wrong_imports({process}, areas - PROCESSES) == []


def test_nothing_inside_imports_the_facade() -> None:
    assert [module.path for module in SLUICE if "sluice" in module.imports] == []


def test_imports_are_absolute() -> None:
    assert [module.path for module in MODULES for name in module.imports if name.startswith(".")] == []


@pytest.mark.parametrize("area", [pytest.param(area, id=area) for area in sorted(CORE | {"events"})])
def test_the_core_has_no_clock_no_randomness_and_no_io(area: str) -> None:
    [module] = [module for module in SLUICE if module.area == area]
    assert [name for name in module.imports if name.partition(".")[0] in IMPURE] == []
    clocks = {"now", "utcnow", "today"}
    calls = [node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if isinstance(call, ast.Attribute) and call.attr in clocks] == []


@pytest.mark.parametrize(
    ("area", "library"),
    [
        pytest.param("destinations", "aiokafka", id="destinations have no kafka client"),
        pytest.param("http", "aiokafka", id="neither has the http client"),
        pytest.param("kafka", "httpx", id="kafka has no http client"),
    ],
)
def test_an_area_keeps_to_its_own_edge(area: str, library: str) -> None:
    modules = [module for module in SLUICE if module.area == area]
    assert modules
    assert [module.path for module in modules if any(name.startswith(library) for name in module.imports)] == []


@pytest.mark.parametrize(
    ("package", "other"),
    [
        pytest.param("sandbox", "sluice", id="the sandbox judges sluice from outside"),
        pytest.param("sluice", "sandbox", id="the product does not ship the sandbox"),
    ],
)
def test_sluice_and_the_sandbox_do_not_import_each_other(package: str, other: str) -> None:
    modules = [module for module in MODULES if module.package == package]
    assert [module.path for module in modules if any(name.partition(".")[0] == other for name in module.imports)] == []


def test_the_environment_is_read_by_the_settings_alone() -> None:
    readers = {
        module.area
        for module in SLUICE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    # `connection` reads the same file for people who need not hold a vendor's credentials.
    assert readers <= {"settings", "connection"}


@pytest.mark.parametrize(
    "module", [pytest.param(module, id=str(module.path.relative_to(SERVICES))) for module in MODULES]
)
def test_a_file_is_one_concept(module: Module) -> None:
    lines = len(module.path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{lines} lines; past {MAX_LINES} a file is more than one concept: split it"
    assert module.path.stem not in MEANINGLESS, f"{module.path.name} says nothing; name the concept that is in it"
    assert ast.get_docstring(module.tree) or not module.tree.body, f"{module.path} does not say what it is"
