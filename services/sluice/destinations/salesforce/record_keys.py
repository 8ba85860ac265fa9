"""Keys of records: the field that a record is found by, and its value there.

=====================  ==========================  ==================================================================
operation              key                         finds the record by
=====================  ==========================  ==================================================================
update, delete,        text                        its Salesforce Id, of 15 or 18 characters
hardDelete
upsert                 ``{field: value}``          that external id field, or ``Id``
upsert                 text                        the object's field in the setting ``external_ids``
insert                 none                        nothing: Salesforce chooses its Id
insert                 ``{field: value}``, text    nothing; the value is written as that of the field, as above
=====================  ==========================  ==================================================================
"""

import re
from typing import NamedTuple, NoReturn

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.api_names import is_api_name
from sluice.events import Key, RecordEvent

ID = "Id"
_ONLY_BY_ID = ("update", "delete", "hardDelete")
_is_id = re.compile("[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?").fullmatch


class RecordKey(NamedTuple):
    """A field and the value by which a record is found there."""

    field: str
    value: str


def read_key(event: RecordEvent, external_id: str | None) -> RecordKey | None:
    """Return the key of ``event``, whose object has the configured ``external_id``. Raises ``Rejection``.

    ``None`` is for an insert without a key.
    """
    key, operation = event.key, event.operation
    if operation == "insert" and key is None:
        return None
    match key:
        case str() if operation in _ONLY_BY_ID:
            found = RecordKey(ID, key)
        case str() if external_id:
            found = RecordKey(external_id, key)
        case dict() if len(key) == 1:
            ((field, value),) = key.items()
            if not is_api_name(field):
                _reject(event, external_id, key)
            found = RecordKey(field, value)
        case _:
            _reject(event, external_id, key)
    by_id = found.field.casefold() == "id"
    takes_field = operation != "insert" if by_id else operation not in _ONLY_BY_ID
    if not takes_field:
        _reject(event, external_id, key)
    if not found.value.strip():
        raise Rejection("bad-key", f"expected a value of the key {found.field}, got blanks; correct it upstream")
    if by_id and not _is_id(found.value):
        raise Rejection(
            "bad-key", f"expected a Salesforce Id of 15 or 18 letters and digits, got {found.value[:40]!r}; correct it"
        )
    return RecordKey(ID, found.value) if by_id else found


def match_name(field: str, value: str) -> str:
    """Return what a record is told from others by, in what was sent as well as in what a result repeats.

    Salesforce compares external ids without case, and repeats numbers in other forms and text without blanks around
    it: §13 rows 1 and 10. So ``ABC`` and ``abc`` are one, and so are ``10`` and ``1.0E1``. The last three characters
    of an Id of 18 only check the case of the others. §1 [docs] Two records that are told apart by less than this share
    a name, and then no batch; no two names ever stand for one record.
    """
    value = value.strip()
    if field == ID:
        return value[:15].casefold()
    if value[:1] in _STARTS_OF_NUMBERS:
        try:
            number = float(value)
        except ValueError:
            return value.casefold()
        # A double tells no more digits apart; names of numbers beyond that must not become one.
        if -1e15 < number < 1e15:
            return repr(number + 0.0)
    return value.casefold()


_STARTS_OF_NUMBERS = frozenset("0123456789+-.")
_EXPECTED = {
    "update": "the record's Salesforce Id",
    "delete": "the record's Salesforce Id",
    "hardDelete": "the record's Salesforce Id",
    "upsert": 'its external id field and value, such as {"Ext__c": "A-1"}',
    "insert": 'none, or an external id field and value, such as {"Ext__c": "A-1"}',
}


def _reject(event: RecordEvent, external_id: str | None, key: Key) -> NoReturn:
    hint = "correct it upstream"
    if isinstance(key, str) and not external_id:
        hint = f"name the field upstream, or in `external_ids` for {event.object}"
    raise Rejection(
        "bad-key", f"expected as key of an {event.operation} {_EXPECTED[event.operation]}, got {_text(key)}; {hint}"
    )


def _text(key: Key) -> str:
    """Return ``key`` for a message, without the data of a person."""
    match key:
        case None:
            return "none"
        case str():
            return f"the text {key[:40]!r}"
        case dict():
            return f"an object with {', '.join(name[:40] for name in list(key)[:5])}"
        case _:
            return f"{len(key)} alternatives"
