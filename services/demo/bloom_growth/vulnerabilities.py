"""The story's real input: known exploited vulnerabilities, as meetings, goals, issues and to-dos.

Each vendor of vulnerable products has a weekly meeting. A vulnerability is an issue there, and what CISA requires to be
done about it is a to-do with CISA's due date. ``services/demo/bloom_growth/SOURCES.md`` tells where the files are from.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from demo.upstream import Change

ATTENDEES = 4
"""People whom each meeting adds, beside the one in whose name all is written."""
DONE_BEFORE = "2025"
"""What was due before is ticked off."""
_HERE = Path(__file__).parent

Row = Mapping[str, str]


class Vulnerabilities:
    """Vulnerabilities, and the meetings about them."""

    def __init__(self, count: int | None, people: Sequence[int]) -> None:
        """Take the first ``count``, or all of them; ``people`` are the users who attend in turn."""
        self.rows = _read("vulnerabilities.csv")[:count]
        self._people = people
        found = Counter(row["vendorProject"] for row in self.rows)
        self.vendors = [vendor for vendor, _ in found.most_common()]

    def attendees(self, vendor: str) -> list[int]:
        """Return those whom the meeting about ``vendor`` adds."""
        first = self.vendors.index(vendor) if vendor in self.vendors else len(self.vendors)
        return [self._people[(first + step) % len(self._people)] for step in range(ATTENDEES)]

    @property
    def meetings(self) -> list[Change]:
        """The meetings; the title is the message key of each."""
        return [
            Change(
                "meeting",
                "insert",
                None,
                {"title": title(vendor), "attendees": self.attendees(vendor)},
                event_id=meeting_event(vendor),
                message_key=title(vendor).encode(),
            )
            for vendor in self.vendors
        ]

    def agenda(self, meeting_ids: Mapping[str, str]) -> list[Change]:
        """Return goals, issues and to-dos; the meeting's id is the message key of each. ``meeting_ids`` by vendor."""
        goals = [
            _create("goal", meeting_ids[vendor], goal_event(vendor, row["id"]), title=_goal(vendor, row))
            for vendor in self.vendors
            for row in _read("goals.csv")
        ]
        return [*goals, *chain.from_iterable(self._of(row, meeting_ids[row["vendorProject"]]) for row in self.rows)]

    def _of(self, row: Row, meeting_id: str) -> tuple[Change, Change]:
        attendees = self.attendees(row["vendorProject"])
        owner = attendees[sum(row["cveID"].encode()) % ATTENDEES]
        cve = row["cveID"]
        issue = _create(
            "issue",
            meeting_id,
            f"issue {cve}",
            title=f"{cve}: {row['vulnerabilityName']}",
            user_id=owner,
            notes=row["shortDescription"],
        )
        todo = _create(
            "todo",
            meeting_id,
            f"todo {cve}",
            title=f"{cve}: {row['requiredAction']}",
            user_id=owner,
            due_date=row["dueDate"],
        )
        return issue, todo

    def progress(self, record_ids: Mapping[str, str]) -> list[Change]:
        """Return what is ticked off, and the goals off track; ``record_ids`` are the vendor's, by event."""
        done = [row["cveID"] for row in self.rows if row["dueDate"] < DONE_BEFORE]
        at_risk = {row["vendorProject"] for row in self.rows if row["knownRansomwareCampaignUse"] == "Known"}
        [goal, *_] = _read("goals.csv")
        return [
            *(
                Change(kind, "update", record_ids[f"{kind} {cve}"], {"complete": True})
                for cve in done
                for kind in _TICKED
            ),
            *(
                Change("goal", "update", record_ids[goal_event(vendor, goal["id"])], {"status": "off"})
                for vendor in self.vendors
                if vendor in at_risk
            ),
        ]


_TICKED = ("todo", "issue")


def title(vendor: str) -> str:
    """Return the title of the meeting about ``vendor``."""
    return f"{vendor} vulnerabilities, weekly"


def meeting_event(vendor: str) -> str:
    """Return the id of the event that makes the meeting about ``vendor``."""
    return f"meeting {vendor}"


def goal_event(vendor: str, goal_id: str) -> str:
    """Return the id of the event that makes a goal of the meeting about ``vendor``."""
    return f"goal {vendor} {goal_id}"


def _goal(vendor: str, row: Row) -> str:
    return f"{vendor}, {row['id']}: {row['outcome']}"


def _create(kind: str, meeting_id: str, event_id: str, **data: object) -> Change:
    return Change(
        kind, "insert", None, {**data, "meeting_id": meeting_id}, event_id=event_id, message_key=meeting_id.encode()
    )


def _read(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
