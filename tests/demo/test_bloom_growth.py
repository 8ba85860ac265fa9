"""The story of Bloom Growth, small, as a user runs it, and its records."""

import re
from typing import Any

from demo.bloom_growth.acts import whole_meetings
from demo.bloom_growth.vulnerabilities import ATTENDEES, Vulnerabilities, meeting_event
from sandbox.bloom_growth.audit import Created
from tests.demo.running import demo

PEOPLE = range(1, 12)


def meeting(*, times: int = 1, attendees: list[int]) -> Created:
    """Return a meeting about Adobe, as the stand-in tells of it."""
    about: dict[str, Any] = {
        "object": "meeting",
        "id": 1,
        "title": "Adobe",
        "request": 1,
        "endpoint": "POST /L10/create",
        "at": 0.0,
    }
    return Created(**about, times=times, exists=True, attendees=attendees)


def test_bloom_growth_gets_each_meeting_whole_and_each_issue_once() -> None:
    with demo("--vendor", "bloom-growth", "--records", "100", "--outage-s", "2") as process:
        output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert re.search(r"(\d+) records published, \1 in crm.records, \1 receipts", output)
    assert re.search(r"kill -9 of the writer in the middle: [1-9]\d* of the meetings had only some", output)
    assert re.search(r"delivered +issue +adopted +[1-9]", output)
    assert re.search(r"dead letter +meeting +partial +1 ", output)
    assert "1 dead letters of crm were redriven" in output
    assert re.search(r"asked for its issues, the vendor says it has 100 ", output)
    assert "records that it applied more than once: 0" in output
    assert "every record had exactly one receipt" in output


def test_a_meeting_is_whole_when_it_was_made_once_with_all_its_attendees() -> None:
    wanted = {"Adobe": [2, 3]}
    assert whole_meetings([meeting(attendees=[1, 2, 3])], wanted) == 1
    assert whole_meetings([meeting(attendees=[1, 2])], wanted) == 0
    assert whole_meetings([meeting(attendees=[1, 2, 3], times=2)], wanted) == 0


def test_every_record_of_the_agenda_has_a_title_of_its_own() -> None:
    vulnerabilities = Vulnerabilities(None, PEOPLE)
    agenda = vulnerabilities.agenda({vendor: vendor for vendor in vulnerabilities.vendors})
    titles = {str(change.data["title"]).casefold() for change in agenda}
    assert len(titles) == len(agenda) == 2 * 268 + 3 * 12


def test_every_meeting_adds_as_many_people_and_the_creates_of_one_share_its_message_key() -> None:
    vulnerabilities = Vulnerabilities(100, PEOPLE)
    assert {len(set(vulnerabilities.attendees(vendor))) for vendor in vulnerabilities.vendors} == {ATTENDEES}
    agenda = vulnerabilities.agenda({vendor: meeting_event(vendor) for vendor in vulnerabilities.vendors})
    assert {change.message_key for change in agenda} == {
        meeting_event(vendor).encode() for vendor in vulnerabilities.vendors
    }
