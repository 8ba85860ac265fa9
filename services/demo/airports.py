"""The demo's real input: the airports of the package ``airportsdata``, as a file and as later changes."""

import csv
import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import airportsdata

from sluice.events import Operation

OBJECT = "group/airport"
KEY = "icao"
_METRES_PER_FOOT = 0.3048

Airport = dict[str, str]
"""One row: every column as text."""


class Change(NamedTuple):
    """A change to an airport that an upstream system publishes after the file."""

    operation: Operation
    key: str
    data: dict[str, Any]


def load_airports(count: int | None) -> list[Airport]:
    """Return the first ``count`` airports, or all of them."""
    rows = islice(airportsdata.load("ICAO").values(), count)
    return [{name: str(value) for name, value in row.items()} for row in rows]


def write_file(airports: Sequence[Airport], path: Path) -> None:
    """Write a CSV of all airports, with a row without a code in the middle, which cannot be published."""
    middle = len(airports) // 2
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, airports[0])
        rows.writeheader()
        rows.writerows([*airports[:middle], airports[0] | {KEY: ""}, *airports[middle:]])


def later_changes(airports: Sequence[Airport]) -> list[Change]:
    """Return changes to about 4 % of ``airports``, mixed: one kind for each code that the vendor can answer."""
    few, very_few = max(1, len(airports) // 300), max(1, len(airports) // 3000)
    chosen = iter(random.Random(1).sample(airports, 11 * few + very_few))  # noqa: S311  # the same in each run
    changes = [Change("update", airport[KEY], _in_metres(airport)) for airport in islice(chosen, 10 * few)]
    changes += [Change("upsert", airport[KEY], _as_published(airport)) for airport in islice(chosen, few)]
    changes += [Change("delete", airport[KEY], {}) for airport in chosen]
    # Four characters that are no airport's code.
    changes += [Change("update", f"ZZ{number:02}", {"city": "Nowhere"}) for number in range(very_few)]
    random.Random(1).shuffle(changes)  # noqa: S311
    return changes


def _in_metres(airport: Airport) -> dict[str, str]:
    return {"elevation_m": f"{float(airport['elevation']) * _METRES_PER_FOOT:.0f}"}


def _as_published(airport: Airport) -> dict[str, str]:
    """Return the data that ``sluice publish`` makes of the row: it leaves empty cells out."""
    return {name: value for name, value in airport.items() if value and name != KEY}
