"""The docstrings under a class's fields and members, read from its source: Python itself drops them."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import cast


def docstrings(owner: type) -> Iterator[tuple[str, str]]:
    """Yield each field or member of ``owner`` that has a docstring below it, with its text."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    for field, below in pairwise(cast(ast.ClassDef, definition).body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, prose(text)


def prose(docstring: str) -> str:
    """Return ``docstring`` as Markdown, without its indentation."""
    return inspect.cleandoc(docstring).replace("``", "`")
