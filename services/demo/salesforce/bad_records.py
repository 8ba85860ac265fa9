"""Records of a careless upstream system: some that Salesforce rejects, some that never get so far."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from demo.salesforce.baseball import CLUB, KEY
from demo.upstream import BadRecord


def bad_records() -> list[BadRecord]:
    """Return one record of each kind of fault."""
    return [
        # Salesforce rejects the row.
        _contact("a player without a last name", data={"FirstName": "Pelé"}),
        _contact("a club that nobody has heard of", data={"LastName": "Berra", CLUB: "club-XYZ"}),
        _contact("a birthday that is no date", data={"LastName": "Paige", "Birthdate": "summer of 1906"}),
        _contact("an address without a host", data={"LastName": "Ruth", "Email": "babe"}),
        # Its description of the object tells that it would fail the whole batch.
        _contact("a field that contacts do not have", data={"LastName": "Mantle", "Nickname__c": "The Mick"}),
        _contact("an object that the org does not have", object="Stadium__c", data={"Name": "Polo Grounds"}),
        # The kind sees it by itself.
        _contact("an Id beside the external id", data={"LastName": "Mays", "Id": "003000000000001AAA"}),
        _contact("a text that would clear the field", data={"LastName": "#N/A"}),
        BadRecord(
            "JSON that breaks off", b"bad-json", _event(key={KEY: "bad-json"}, data={"LastName": "Gehrig"})[:-30]
        ),
    ]


def _contact(note: str, **fields: Any) -> BadRecord:
    key = f"bad-{note.replace(' ', '-')}"
    return BadRecord(note, key.encode(), _event(key={KEY: key}, **fields))


def _event(**fields: Any) -> bytes:
    event = {"event_id": "legacy-1", "operation": "upsert", "object": "Contact", "occurred_at": datetime.now(UTC)}
    return msgspec.json.encode(event | fields)
