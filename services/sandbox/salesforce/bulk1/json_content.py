"""JSON batches: an array of objects; a relationship is a nested object. salesforce_bulk.md §3.5, §6."""

from typing import Any

import msgspec

from sandbox.http.messages import UNREADABLE
from sandbox.salesforce.bulk1.content import Content, from_records, malformed


def read_json_content(body: bytes) -> Content:
    """Read an array of records; a missing key leaves as is, null sets null. §6 [docs] Raises ``BatchRefused``."""
    try:
        records = _decode(body)
    except UNREADABLE as error:
        raise malformed(f"Unable to parse JSON: {error}") from error
    return from_records([_flat(record) for record in records])


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    if not any(isinstance(value, dict | list) for value in record.values()):
        return record
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= _relationship(name, value)
        elif isinstance(value, list):
            raise malformed(f"Field {name} has an array for a value")
        else:
            flat[name] = value
    return flat


def _relationship(name: str, target: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"Account": {"Ext__c": "X"}}`` as the column ``Account.Ext__c``. §6 [docs]"""
    if any(isinstance(value, dict | list) for value in target.values()):
        raise malformed(f"Relationship {name} is nested too deep")
    return {f"{name}.{field}": value for field, value in target.items()}


_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode
