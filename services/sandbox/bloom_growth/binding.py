"""Binding of request bodies and query parameters to names in any case. bloom_growth.md §1 [client], [docs:ref]."""

from typing import Any, TypeVar

import msgspec

from sandbox.bloom_growth.refusals import Refusal
from sandbox.http.messages import FORM, UNREADABLE, Request, first_values

Fields = TypeVar("Fields")
_JSON = ("application/json", "text/json")


def spelling(field: str) -> str:
    """Return the lower-case wire name of a field: ``owner_id`` is ``ownerid``. Structs of fields rename by it."""
    return field.replace("_", "")


def bind(request: Request, fields: type[Fields]) -> Fields:
    """Decode the body's members by type; null means absent, unknown members are ignored, an empty body has none.

    Raises ``Refusal``: 400 for an unreadable body or a wrong type, 415 for another content type.
    """
    members, is_form = _read_members(request)
    present = {name.lower(): value for name, value in members.items() if value is not None}
    try:
        return msgspec.convert(present, fields, strict=not is_form)
    except msgspec.ValidationError as error:
        raise Refusal(400, f"The request is invalid: {error}") from None


def _read_members(request: Request) -> tuple[dict[str, Any], bool]:
    """Return the body's members as sent, and whether they came in a form, where every value is a string."""
    if not request.body.strip():
        # The SDK sends the JSON content type on calls without a body, too. §1 [client]
        return {}, False
    if request.media_type in _JSON:
        return _read_json(request.body), False
    if request.media_type == FORM:
        return first_values(request.form), True
    text = f"The request entity's media type {request.media_type!r:.100} is not supported for this resource."
    raise Refusal(415, text)


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        return _decode(body) or {}
    except UNREADABLE as error:
        raise Refusal(400, f"The request is invalid: {error}") from None


_decode = msgspec.json.Decoder(dict[str, Any] | None).decode
