"""Items of the items API and of import files, made from record events. Mapping

================ ============================================ ==========================================
operation        item                                         travels in
================ ============================================ ==========================================
insert           ``Create``, which must not be sent twice     an upsert of its own kind
update, upsert   ``Merge``; ``Update`` where a type replaces  an upsert, or an import where the settings say so
delete           ``Delete`` with the key fields alone         an upsert
================ ============================================ ==========================================

The event's key is the value of the type's key field, or a mapping of its key fields. Key fields in data must agree;
their form there, such as a number, is the one that is sent. A record without its key is never sent: a reject for it
would name no key, and could be anybody's (D2).
"""

from typing import Any, NamedTuple

import msgspec

from sluice.destinations.contract import Rejection
from sluice.destinations.liquid_decisions.key_folding import fold_text, fold_value, identity_of
from sluice.destinations.liquid_decisions.settings import ItemType, LiquidDecisionsSettings
from sluice.events import Operation, RecordEvent
from sluice.flow.batch import Encoded

CREATES, UPSERTS = "create", "upsert"
"""Batch keys of what is never imported. Other batch keys are ``import_key``."""


def import_key(name: str) -> str:
    """Return the batch key of items of the type ``name`` that may become an import."""
    return f"import/{name}"


class _Shape(NamedTuple):
    """Items of one type and operation."""

    name: str
    key_fields: tuple[str, ...]
    action: str
    head: bytes
    batch_key: str


class Items:
    """Encoder of record events for one community."""

    def __init__(self, settings: LiquidDecisionsSettings) -> None:
        self._shapes: dict[str, dict[Operation, _Shape]] = {
            name: _shapes(name, type_) for name, type_ in settings.types.items()
        }

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:  # noqa: ARG002  # the vendor has no field for one
        """Encode ``event`` as an item. Raises ``Rejection``."""
        try:
            shape = self._shapes[event.object][event.operation]
        except KeyError:
            raise self._rejection(event) from None
        data = _data_of(event)
        folded = _put_keys(shape.key_fields, event, data)
        if shape.action == "Delete":
            data = {name: data[name] for name in shape.key_fields}
        body = shape.head + _encode(data) + b"}"
        return Encoded(shape.batch_key, identity_of(shape.name, folded), body, shape.action != "Create")

    def _rejection(self, event: RecordEvent) -> Rejection:
        if event.object in self._shapes:
            return Rejection("unknown-operation", f"expected insert, update, upsert or delete, got {event.operation!r}")
        known = ", ".join(self._shapes)
        return Rejection(
            "unknown-object", f"expected an item type of the settings, {known}, got {event.object!r}; add it at `types`"
        )


def _shapes(name: str, type_: ItemType) -> dict[Operation, _Shape]:
    change = "Merge" if type_.merge else "Update"
    changes = UPSERTS if type_.write == "upsert" else import_key(name)

    def shape(action: str, batch_key: str) -> _Shape:
        headers = {"category": type_.category, "type": name, "action": action}
        return _Shape(name, type_.key_fields, action, b'{"headers":' + _encode(headers) + b',"data":', batch_key)

    return {
        "insert": shape("Create", CREATES),
        "update": shape(change, changes),
        "upsert": shape(change, changes),
        "delete": shape("Delete", UPSERTS),
    }


def _data_of(event: RecordEvent) -> dict[str, Any]:
    """Return the members of ``event.data``, each as it was written: numbers keep their digits."""
    try:
        bytes(event.data).decode()  # the decoder does not look into the members
        return _decode_members(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejection("bad-data", f"expected a JSON object in UTF-8 as data: {error}; correct it upstream") from error


def _put_keys(key_fields: tuple[str, ...], event: RecordEvent, data: dict[str, Any]) -> list[str]:
    """Put the key of ``event`` into ``data``, and return the values of the key fields as they are compared."""
    given = _given_key(key_fields, event)
    folded = []
    for name in key_fields:
        own = None if (raw := data.get(name)) is None else _folded(name, raw)
        text = given.get(name)
        if text is None:
            if own is None:
                raise Rejection("missing-key", f"expected a value of the key field {name}, in the key or in data")
        elif own is None:
            data[name] = text
            own = fold_text(text)
        elif fold_text(text) != own:
            raise Rejection("bad-key", f"{name} has one value in the key and another one in data; correct it upstream")
        folded.append(own)
    return folded


def _given_key(key_fields: tuple[str, ...], event: RecordEvent) -> dict[str, str]:
    key = event.key
    if isinstance(key, str):
        if len(key_fields) > 1:
            raise Rejection("bad-key", f"expected a mapping of {', '.join(key_fields)} as key, got a text")
        key = {key_fields[0]: key}
    if key is None:
        return {}
    if not isinstance(key, dict) or not key.keys() <= set(key_fields):
        raise Rejection("bad-key", f"expected a mapping of {', '.join(key_fields)} as key, got other fields")
    if blank := [name for name, text in key.items() if not text.strip()]:
        raise Rejection("missing-key", f"expected a value of the key field {blank[0]}, got blanks")
    return key


def _folded(name: str, raw: msgspec.Raw) -> str | None:
    """Return the key field's value in data as it is compared; ``None`` for null."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejection("bad-data", f"expected JSON at {name}: {error}") from error
    if value is None:
        return None
    if (folded := fold_value(value)) is None:
        raise Rejection("missing-key", f"expected a text or a number at the key field {name}; correct it upstream")
    return folded


_encode = msgspec.json.Encoder().encode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
