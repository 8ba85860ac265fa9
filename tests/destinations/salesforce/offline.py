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
