"""Error bodies of blueconic.md §7."""

import re

import msgspec

from sandbox.http.messages import Response, as_json

_MESSAGE = re.compile(r"(?P<message>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """An error of one field; ``field`` since R98. [spec]"""

    field: str
    message: str


def bad_request(*errors: FieldError) -> Response:
    """Return a 400; nothing of its request was applied. [spec] body, [assumed] effect"""
    return as_json({"code": 400, "message": "Bad Request", "errors": errors}, status=400)


def not_found(*, bare: bool) -> Response:
    """Return the 404 of a read. §7 declares no body for it: the shape of a 400, or none. [assumed]"""
    return Response(status=404) if bare else as_json({"code": 404, "message": "Not Found"}, status=404)


def field_error(error: Exception) -> FieldError:
    """Return a decoding error with the place that it is about: ``[3].properties[0].values[0]``, or ``body``."""
    found = _MESSAGE.fullmatch(str(error))
    if found is None or not found["field"]:
        return FieldError(field="body", message=found["message"] if found else str(error))
    return FieldError(field=found["field"], message=found["message"])
