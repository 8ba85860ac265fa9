"""``python -m sluice.spec.api_page`` writes ``docs/api.md``: what ``sluice`` exports, from its docstrings."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import UnionType

from sluice.spec.docstrings import prose, with_docstrings

HEAD = """\
<!-- Written by: python -m sluice.spec.api_page -->
# API

`from sluice import ...` gives everything below to systems that publish records and consume their receipts. Values such
as `RecordEvent` and `Connection` are immutable structs whose fields are passed by name. [`examples`](../examples) has a
small program for each task, and [`schemas`](../schemas) what other languages need.
"""
SECTIONS = {
    "sluice.client.publisher": "Publish records",
    "sluice.client.outcomes": "Consume receipts",
    "sluice.client.receipts": "Receipts",
    "sluice.client.bulk": "Write in bulk",
    "sluice.client.bulk_sync": "Write in bulk from a script",
    "sluice.client.bulk_result": "Results of writing in bulk",
    "sluice.client.connection": "Connection",
}
"""Titles of the modules that have a section, which begins with the module's docstring."""
OTHER, ERRORS = "Events and settings", "Errors"


def api_page() -> str:
    """Return the whole page."""
    facade = sys.modules["sluice"]
    # Functions first: most classes are what they return.
    exports = [getattr(facade, name) for name in sorted(facade.__all__, key=lambda name: (name[0].isupper(), name))]
    exports = [exported for exported in exports if not isinstance(exported, UnionType)]  # those stand among the types
    sections = {title: [prose(sys.modules[name].__doc__)] for name, title in SECTIONS.items()}
    sections |= {OTHER: [], ERRORS: []}
    for exported in exports:
        is_error = isinstance(exported, type) and issubclass(exported, Exception)
        sections[SECTIONS.get(exported.__module__, ERRORS if is_error else OTHER)] += _entry(exported, is_error)
    parts = [HEAD, *(part for title, entries in sections.items() for part in (f"## {title}", *entries))]
    modules = {"sluice.setting_types", *(exported.__module__ for exported in exports)}
    parts += ["## Types", _types(modules, "\n".join(parts))]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _entry(exported: type, is_error: bool) -> Iterator[str]:
    """Yield the paragraphs of one exported function or class."""
    source = inspect.getsource(exported)
    yield f"### {exported.__name__}"
    match ast.parse(source).body:
        case [ast.FunctionDef() as function]:
            yield from _function(function, source)
        case [ast.ClassDef() as class_]:
            yield f"```python\nclass {class_.name}({ast.unparse(class_.bases[0])})\n```" if is_error else ""
            yield from (prose(ast.get_docstring(class_)), *_members(class_, source))


def _members(class_: ast.ClassDef, source: str) -> Iterator[str]:
    """Yield the public fields and properties as one list, then each public method."""
    fields, methods = list[str](), list[str]()
    for member, text in with_docstrings(class_.body):
        match member:
            case ast.AnnAssign():
                fields.append(_field(ast.get_source_segment(source, member), text))
            case ast.FunctionDef(decorator_list=[ast.Name(id="property")], returns=ast.expr() as returns):
                fields.append(_field(f"{member.name}: {ast.unparse(returns)}", prose(ast.get_docstring(member))))
            # A class that functions make, or that is raised, has a constructor without defaults.
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not member.name.startswith("_") or (
                member.name == "__init__" and member.args.defaults
            ):
                methods += _function(member, source, class_.name)
    yield from ("\n".join(fields), *methods)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, source: str, owner: str = "") -> tuple[str, str]:
    """Return the source of the head of ``node`` without comments and ``self``, and its docstring."""
    lines = [line[node.col_offset :] for line in source.splitlines()[node.lineno - 1 : node.body[0].lineno - 1]]
    head = re.sub(r"  #.*|self(,\s*|(?=\)))", "", "\n".join(lines)).removesuffix(":")
    head = re.sub(r'-> "(\w+)"$', r"-> \1", head)
    if node.name == "__init__":
        head = head.replace("def __init__", owner).removesuffix(" -> None")
    return f"```python\n{head}\n```", prose(ast.get_docstring(node))


def _types(modules: set[str], text: str) -> str:
    """Return the types and defaults of ours that ``text`` names, and those that they name in turn."""
    found = {}
    for source in (inspect.getsource(sys.modules[module]) for module in modules):
        for node, below in with_docstrings(ast.parse(source).body):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)]) if name[0].isupper():
                    found[name] = _field(ast.get_source_segment(source, node), below)
    wanted: set[str] = set()
    while new := {name for name in found if re.search(rf"\b{name}\b", text)} - wanted:
        wanted |= new
        text = "\n".join(found[name] for name in new)
    return "\n".join(found[name] for name in sorted(wanted))


def _field(code: str | None, text: str) -> str:
    """Return a list item of ``code`` and its docstring."""
    code = re.sub(r"msgspec\.field\(.*\)$", "...", code or "")
    return textwrap.indent(f"- `{code}`" + (f": {text}" if text else ""), "  ").strip()


def main() -> None:
    """Write the page to the path given, by default ``docs/api.md``."""
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/api.md").write_text(api_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
