"""Records and settings of a Salesforce org that no test asks."""

from typing import Any

import msgspec

from sluice.destinations.salesforce.records import Records
from sluice.destinations.salesforce.row_formats import ROW_FORMATS, ContentType
from sluice.destinations.salesforce.settings import Bulk1Settings
from sluice.events import Key, Operation
from sluice.flow.batch import Encoded
from sluice.setting_types import decode_secret
from tests.support.factories import record

ID = "003X00000000001AAA"
LOGIN = {"flow": "password", "username": "u", "password": "p", "client_id": "c", "client_secret": "s"}


def bulk1_settings(**values: Any) -> Bulk1Settings:
    """Make settings whose login is never used."""
    settings: dict[str, Any] = {"kind": "salesforce_bulk1", "url": "https://acme.my.salesforce.com", **values}
    if "login" in Bulk1Settings.__struct_fields__:
        settings.setdefault("login", LOGIN)
    return msgspec.convert(settings, Bulk1Settings, dec_hook=decode_secret)


def encode(
    operation: Operation = "update",
    key: Key = ID,
    data: object = None,
    *,
    content_type: ContentType = "CSV",
    object_: str = "Contact",
    needs_identifier: bool = False,
    **values: Any,
) -> Encoded:
    """Encode one event by settings with ``values``."""
    records = Records(bulk1_settings(**values), ROW_FORMATS[content_type], needs_identifier=needs_identifier)
    return records.encode(record(object_, operation, key, data), "3-7")


def field(name: str, **values: Any) -> dict[str, Any]:
    """Make a field as Salesforce describes it, which may be written."""
    return {
        "name": name,
        "type": "string",
        "createable": True,
        "updateable": True,
        "externalId": False,
        "idLookup": False,
        "relationshipName": None,
        "referenceTo": [],
        "polymorphicForeignKey": False,
        **values,
    }


CONTACT: dict[str, Any] = {
    "name": "Contact",
    "createable": True,
    "updateable": True,
    "deletable": True,
    "fields": [
        field("Id", createable=False, updateable=False, idLookup=True),
        field("LastName"),
        field("Name", createable=False, updateable=False),
        field("CreatedDate", updateable=False),
        field("Email", idLookup=True),
        field("Ext__c", externalId=True),
        field("AccountId", relationshipName="Account", referenceTo=["Account"]),
        field("OwnerId", relationshipName="Owner", referenceTo=["Group", "User"], polymorphicForeignKey=True),
        field("ReportsToId", updateable=False, relationshipName="ReportsTo", referenceTo=["Contact"]),
    ],
}
"""An object as Salesforce describes it, with what is read of it. salesforce_bulk.md §13 row 15"""
