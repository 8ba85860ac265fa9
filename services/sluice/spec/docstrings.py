"""Docstrings as Markdown; also those under fields and values, which Python itself drops."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast


def docstrings(owner: type) -> Iterator[tuple[str, str]]:
    """Yield each field or member of ``owner`` that has a docstring below it, with its text."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    for node, text in with_docstrings(cast(ast.ClassDef, definition).body):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]) if text:
                yield name, text


def with_docstrings(body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement with the docstring below it, or an empty one."""
    for statement, below in pairwise([*body, ast.Pass()]):
        match below:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield statement, prose(text)
            case _:
                yield statement, ""


def prose(docstring: str | None) -> str:
    """Return Markdown: roles as their last names, and without the mark of a literal block, which is indented."""
    text = inspect.cleandoc(docstring or "").replace("``", "`")
    text = re.sub(r":\w+:`~?(?:[a-z_]\w*\.)*(\w[\w.]*)`", r"`\1`", text)
    return re.sub(r"\s*::$", ":", text, flags=re.MULTILINE)
