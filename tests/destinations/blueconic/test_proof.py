"""Proof that a write was not applied: what BlueConic must show for it."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from sluice.destinations.blueconic.proof import is_untouched, read_path
from sluice.events import Key, Operation, RecordEvent
from tests.destinations.blueconic.offline import ABSENT, ENTRIES
from tests.support.factories import NOON, make_item, record

SENT_AT = NOON
"""BlueConic's clock before the write was sent."""
WAITED_S = 60.0
ONE_MORE = {"visits": {"increment": 1}}
GROUP = record(data=ONE_MORE)


def proves(answer: httpx.Response, event: RecordEvent = GROUP, vendor_at: datetime | None = SENT_AT) -> bool:
    item = make_item(event=event, encoded=ENTRIES.encode(event, "0-0"))
    return is_untouched(item, answer, vendor_at, WAITED_S)


def group(modified_at: datetime | str | None, **changes: Any) -> httpx.Response:
    text = modified_at.isoformat() if isinstance(modified_at, datetime) else modified_at
    return httpx.Response(200, json={"id": "c-1", "groupTypeId": "company", "lastModifiedDate": text, **changes})


def dated(answer: httpx.Response, since_sent_s: float) -> httpx.Response:
    """Return ``answer`` as of so many seconds after the write was sent, by BlueConic's clock."""
    date = (SENT_AT + timedelta(seconds=since_sent_s)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {**answer.headers, "date": date}
    return httpx.Response(answer.status_code, headers=headers, content=answer.content)


BEFORE = group(SENT_AT - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("answer", "proof"),
    [
        pytest.param(ABSENT, True, id="it is not there"),
        pytest.param(BEFORE, True, id="unchanged since before"),
        pytest.param(group(SENT_AT - timedelta(seconds=1.001)), True, id="unchanged since just before"),
        pytest.param(group(SENT_AT - timedelta(seconds=1)), False, id="changed within what its clocks may differ"),
        pytest.param(group(SENT_AT), False, id="changed then"),
        pytest.param(group(SENT_AT + timedelta(minutes=1)), False, id="changed since"),
        pytest.param(group(None), False, id="no date"),
        pytest.param(group("2020-01-01T00:00:00"), False, id="a date without a zone"),
        pytest.param(group("long ago"), False, id="no date at all"),
        pytest.param(group(SENT_AT - timedelta(days=1), id="c-2"), False, id="another group"),
        pytest.param(group(SENT_AT - timedelta(days=1), id=None), False, id="a group without its id"),
        pytest.param(httpx.Response(200, json={"profiles": []}), False, id="no profile where a group was asked for"),
        pytest.param(httpx.Response(200, json=[]), False, id="an array"),
        pytest.param(httpx.Response(200, content=b"[" * 5000), False, id="nested beyond reason"),
        pytest.param(httpx.Response(200, content=b"\xff"), False, id="no text"),
        pytest.param(dated(ABSENT, 60), True, id="it is not there a minute later"),
        pytest.param(dated(BEFORE, 59), True, id="a minute later, cut to the second"),
        pytest.param(dated(ABSENT, 5), False, id="it was not there five seconds later, as a cache remembers"),
        pytest.param(dated(BEFORE, 5), False, id="unchanged five seconds later, as a cache remembers"),
        pytest.param(dated(BEFORE, -3600), False, id="the earlier answer was of a clock an hour ahead"),
    ],
)
def test_an_increment_is_proven_not_applied(answer: httpx.Response, proof: bool) -> None:
    assert proves(answer) == proof


@pytest.mark.parametrize(
    ("answer", "proof"), [pytest.param(BEFORE, False, id="by no date"), pytest.param(ABSENT, True, id="by absence")]
)
def test_where_blueconics_clock_was_not_known_no_date_proves_anything(answer: httpx.Response, proof: bool) -> None:
    assert proves(answer, vendor_at=None) == proof


@pytest.mark.parametrize(
    ("operation", "key", "answer", "proof"),
    [
        pytest.param("upsert", {"email": "x"}, {"profiles": []}, True, id="no such profile"),
        pytest.param("upsert", {"email": "x"}, {"profiles": [{"id": "p"}]}, False, id="there is one"),
        pytest.param("upsert", {"email": "x"}, {}, False, id="no list"),
        pytest.param("update", "p-1", {"id": "p-1"}, False, id="it is there by its id"),
        pytest.param("update", "p-1", {"profiles": []}, False, id="a search that nobody asked for"),
    ],
)
def test_a_profile_is_proven_untouched_only_by_its_absence(
    operation: Operation, key: Key, answer: dict[str, Any], proof: bool
) -> None:
    assert proves(httpx.Response(200, json=answer), record("profile", operation, key, ONE_MORE)) == proof


@pytest.mark.parametrize(
    ("object_", "key", "data", "path"),
    [
        pytest.param("group/company", "c-1", ONE_MORE, "groups/company/c-1", id="a group"),
        pytest.param("group/a b", "é/1?x%", ONE_MORE, "groups/a%20b/%C3%A9%2F1%3Fx%25", id="an awkward group"),
        pytest.param("profile", "p-1", ONE_MORE, "profiles/p-1", id="a profile by its id"),
        pytest.param("profile", {"email": "a+b@c"}, ONE_MORE, "profiles?property=email&value=a%2Bb%40c", id="a search"),
        pytest.param("profile", {"email": "x"}, {"email": "y"}, None, id="it may have a new name"),
        pytest.param("profile", [{"email": "x"}, {"crm": "1"}], ONE_MORE, None, id="alternatives"),
        pytest.param("profile", {"a": "1", "b": "2"}, ONE_MORE, None, id="several properties"),
        pytest.param("profile", {"email": "x"}, {"$domainGroup": "nl", **ONE_MORE}, None, id="in a domain group"),
        pytest.param("profile", "p-1", {"$domainGroup": "nl", **ONE_MORE}, "profiles/p-1", id="its id needs none"),
    ],
)
def test_records_are_read_by_their_key(object_: str, key: Key, data: Any, path: str | None) -> None:
    event = record(object_, "update", key, data)
    assert read_path(make_item(event=event, encoded=ENTRIES.encode(event, "0-0"))) == path
