"""Echoed values as the service may change them: the fault ``coerce_echo``. salesforce_bulk.md §13.1.

    "2024-11-21T09:28:59.123456+02:00" → "2024-11-21T07:28:59.123Z"    "10" → "10.0"    " Berg " → "Berg"

The key column stays as it was sent, because a client must be able to join on it alone. [issue rudder-server 7074]
"""

import re
from collections.abc import Callable, Sequence

from sandbox.salesforce.bulk2.dialect import DELIMITERS
from sandbox.salesforce.bulk2.ingest_job import IngestJob
from sandbox.salesforce.objects import ObjectType
from sandbox.salesforce.values import instant

_CELL = re.compile(r'"((?:[^"]|"")*)"')
_Coerce = Callable[[str], str]


def coercion(header: Sequence[str], job: IngestJob, kind: ObjectType) -> _Coerce:
    """Return a function that changes a line of a result, which begins with two columns of the service's own."""
    to = DELIMITERS[job.dialect.delimiter]
    own, changes = header[:2], [_of_column(name, job, kind) for name in header[2:]]

    def coerce(line: str) -> str:
        cells: list[str] = _CELL.findall(line)
        changed = [change(cell) for change, cell in zip(changes, cells[len(own) :], strict=True)]
        return to.join(f'"{cell}"' for cell in (*cells[: len(own)], *changed))

    return coerce


def _of_column(name: str, job: IngestJob, kind: ObjectType) -> _Coerce:
    slot = kind.slot(name)
    if name.lower() in ("id", (job.external_id_field or "").lower()):
        return str
    match None if slot is None else kind.all_fields[slot].type:
        case "datetime":
            return _where_possible(instant)
        case "int" | "double":
            return _where_possible(lambda cell: str(float(cell)))
        case _:
            return lambda cell: cell.strip(" ")


def _where_possible(change: _Coerce) -> _Coerce:
    """Return a function that leaves other values, such as ``#N/A``, as they are."""

    def changed(cell: str) -> str:
        try:
            return change(cell)
        except ValueError:
            return cell

    return changed
