"""The demo's real input: the airports of the package ``airportsdata``, as a file and as later changes."""

import csv
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import airportsdata

from sluice.events import Operation

OBJECT = "group/airport"
KEY = "icao"
_UNKNOWN = "ZZ{:02}"
"""Four characters that are no airport's code."""
_METRES_PER_FOOT = 0.3048


class Airport(NamedTuple):
    """One row: its ICAO code, and the other columns as text."""

    icao: str
    columns: dict[str, str]


class Change(NamedTuple):
    """A change to an airport that an upstream system publishes after the file."""

    operation: Operation
    key: str
    data: dict[str, Any]


def load_airports(count: int | None) -> list[Airport]:
    """Return the first ``count`` airports, or all of them."""
    found = airportsdata.load("ICAO")
    return [
        Airport(icao, {name: str(value) for name, value in row.items() if name != KEY})
        for icao, row in list(found.items())[:count]
    ]


def write_file(airports: Sequence[Airport], path: Path) -> None:
    """Write a CSV of all airports, with a row without a code in the middle, which cannot be published."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([KEY, *airports[0].columns])
        middle = len(airports) // 2
        rows.writerows([airport.icao, *airport.columns.values()] for airport in airports[:middle])
        rows.writerow(["", *airports[0].columns.values()])
        rows.writerows([airport.icao, *airport.columns.values()] for airport in airports[middle:])


def later_changes(airports: Sequence[Airport]) -> list[Change]:
    """Return changes to about 4 % of ``airports``, mixed: one kind for each code that the vendor can answer."""
    few, very_few = max(1, len(airports) // 300), max(1, len(airports) // 3000)
    chosen = iter(random.Random(1).sample(airports, 11 * few + very_few))  # noqa: S311  # the same in each run
    changes = [_in_metres(next(chosen)) for _ in range(10 * few)]
    changes += [Change("upsert", airport.icao, _filled(airport)) for airport in (next(chosen) for _ in range(few))]
    changes += [Change("delete", next(chosen).icao, {}) for _ in range(very_few)]
    changes += [Change("update", _UNKNOWN.format(number), {"city": "Nowhere"}) for number in range(very_few)]
    random.Random(1).shuffle(changes)  # noqa: S311
    return changes


def _in_metres(airport: Airport) -> Change:
    metres = float(airport.columns["elevation"]) * _METRES_PER_FOOT
    return Change("update", airport.icao, {"elevation_m": f"{metres:.0f}"})


def _filled(airport: Airport) -> dict[str, str]:
    """Return the data that ``sluice publish`` makes of the row: it leaves empty cells out."""
    return {name: value for name, value in airport.columns.items() if value}
