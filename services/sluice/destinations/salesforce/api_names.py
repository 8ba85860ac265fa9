"""Names in Salesforce's API: objects, fields, and the columns of a table. §6, §13 row 13

A column is a field, ``LastName``; a field of a parent by which the parent is found, ``Account.Ext__c``; or, where
objects of several types can be the parent, the same with the type, ``User:Owner.Email``. One level, parents only.
Salesforce compares names without case.
"""

import re
from functools import lru_cache
from typing import NamedTuple

MAX_CHARACTERS = 255
"""[assumed]: names of Salesforce have 80 at most, and a column has three. It bounds what is kept of them."""
_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_column = re.compile(rf"(?:(?:({_NAME}):)?({_NAME})\.)?({_NAME})").fullmatch


class Column(NamedTuple):
    """A column and its parts; ``relationship`` is empty for a field of the record itself."""

    parent_type: str
    relationship: str
    field: str


def is_api_name(name: str) -> bool:
    """Return whether ``name`` can be that of an object or field."""
    column = read_column(name)
    return column is not None and not column.relationship


def read_column(name: str) -> Column | None:
    """Return the parts of the column ``name``; ``None`` where it is not one."""
    return _read_column(name) if len(name) <= MAX_CHARACTERS else None


@lru_cache(maxsize=10_000)
def _read_column(name: str) -> Column | None:
    match = _column(name)
    return None if match is None else Column(match[1] or "", match[2] or "", match[3])
