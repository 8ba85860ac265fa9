"""SQL of a client: one SELECT over the items of its community, bounded in time and memory. liquid_decisions.md §6.

SQLite itself bounds the query: its authorizer is asked about every action of a statement, its progress handler stops
it in time, its limits bound sizes.
"""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sandbox.liquid_decisions.database import Database
from sandbox.liquid_decisions.refusal import Refusal

_MAX_VALUE_BYTES = 4 * 2**20
_MAX_QUERY_BYTES = 2**20
_STEPS_BETWEEN_LOOKS = 1000
_SELECT = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|WITH)\b", re.IGNORECASE | re.DOTALL)
_LIMITS = (
    (sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, _MAX_QUERY_BYTES),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
)
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})
# Python 3.11 raises Warning for two statements, and ValueError for a NUL character in the query.
_FAILURES = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError)


class Result(NamedTuple):
    """Columns of a result and its rows, which are read while the query is open."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def open_query(database: Database, query: str, timeout_s: float) -> Iterator[Result]:
    """Open a query. Any mistake in it is a ``Refusal``, also while its rows are read. §6 [assumed: 400]"""
    if not _SELECT.match(query):
        raise _refused("expected a SELECT")
    for table in database.tables.values():
        table.refresh_view()
    connection = database.connection
    before = [(category, connection.setlimit(category, limit)) for category, limit in _LIMITS]
    connection.set_authorizer(_authorize)
    until = time.monotonic() + timeout_s
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
    cursor = connection.cursor()
    try:
        cursor.execute(query)
        yield Result([column[0] for column in cursor.description], cursor)
    except MemoryError:
        raise _refused("the query needs too much memory") from None
    except _FAILURES as error:
        late = time.monotonic() > until
        raise _refused(f"the query ran longer than {timeout_s:g} s" if late else str(error)) from None
    finally:
        cursor.close()
        connection.set_progress_handler(None, 0)
        connection.set_authorizer(None)
        for category, limit in before:
            connection.setlimit(category, limit)


def _authorize(action: int, table: str | None, name: str | None, *_: str | None) -> int:
    """Let a statement select, call functions, and read tables except SQLite's own. All else is denied."""
    match action:
        case sqlite3.SQLITE_SELECT | sqlite3.SQLITE_RECURSIVE:
            return sqlite3.SQLITE_OK
        case sqlite3.SQLITE_FUNCTION if name not in _FORBIDDEN_FUNCTIONS:
            return sqlite3.SQLITE_OK
        case sqlite3.SQLITE_READ if table is not None and not table.startswith("sqlite_"):
            return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _refused(why: str) -> Refusal:
    return Refusal(why, error="invalid_query")
