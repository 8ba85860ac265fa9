"""The story's real input: the airports of the package ``airportsdata``, as a file and as later changes."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import airportsdata
import msgspec

from demo.upstream import BadRecord, Change, File

OBJECT = "group/airport"
KEY = "icao"
_METRES_PER_FOOT = 0.3048

Airport = dict[str, str]
"""One row: every column as text."""


def load_airports(count: int | None) -> list[Airport]:
    """Return the first ``count`` airports, or all of them."""
    rows = islice(airportsdata.load("ICAO").values(), count)
    return [{name: str(value) for name, value in row.items()} for row in rows]


def airports_file(airports: Sequence[Airport]) -> File:
    """Return all airports as a file."""
    return File("airports.csv", OBJECT, KEY, "airports", airports)


def later_changes(airports: Sequence[Airport]) -> list[Change]:
    """Return changes to about 4 % of ``airports``, mixed: one kind for each code that the vendor can answer."""
    few, very_few = max(1, len(airports) // 300), max(1, len(airports) // 3000)
    chosen = iter(random.Random(1).sample(airports, 11 * few + very_few))  # noqa: S311  # the same in each run
    changes = [Change(OBJECT, "update", one[KEY], _in_metres(one)) for one in islice(chosen, 10 * few)]
    changes += [Change(OBJECT, "upsert", one[KEY], _as_published(one)) for one in islice(chosen, few)]
    changes += [Change(OBJECT, "delete", one[KEY], {}) for one in chosen]
    # Four characters that are no airport's code.
    changes += [Change(OBJECT, "update", f"ZZ{number:02}", {"city": "Nowhere"}) for number in range(very_few)]
    random.Random(1).shuffle(changes)  # noqa: S311
    return changes


def bad_records() -> list[BadRecord]:
    """Return one record of each kind of fault."""
    nested = {"runways": [{"name": "09L", "length_m": 3902}]}
    return [
        BadRecord("a group type the vendor does not have", b"EDDB", _event(object="group/aerodrome", key="EDDB")),
        BadRecord("an upsert that names no airport", None, _event(object=OBJECT)),
        BadRecord("JSON that breaks off", b"EHAM", _event(object=OBJECT, key="EHAM")[:-40]),
        BadRecord("bytes that are no text", b"LFPG", b"\x93NUMPY\x01\x00v\x00\xff\xfe"),
        BadRecord("a null value", b"LEMD", None),
        BadRecord("an object this vendor does not know", b"LIRF", _event(object="airport", key="LIRF")),
        BadRecord("a value no property can hold", b"EGLL", _event(object=OBJECT, key="EGLL", data=nested)),
    ]


def _in_metres(airport: Airport) -> dict[str, str]:
    return {"elevation_m": f"{float(airport['elevation']) * _METRES_PER_FOOT:.0f}"}


def _as_published(airport: Airport) -> dict[str, str]:
    """Return the data that ``sluice publish`` makes of the row: it leaves empty cells out."""
    return {name: value for name, value in airport.items() if value and name != KEY}


def _event(**fields: Any) -> bytes:
    event = {"event_id": "legacy-1", "operation": "upsert", "occurred_at": datetime.now(UTC), "data": {"city": "?"}}
    return msgspec.json.encode(event | fields)
