"""Salesforce's errors, in each of their shapes: a code that decides, and words for people.

Bulk API 1.0 answers ``<error>`` or an object with ``exceptionCode``, the REST calls an array with ``errorCode``, SOAP a
fault, the token endpoint an object with ``error``. 2.0 writes the codes of 1.0 in capitals. §2.1, §2.3, §3.11, §4.3
"""

from typing import Any, NamedTuple

import httpx
import msgspec

from sluice.destinations.http import message_line
from sluice.destinations.salesforce.xml_answers import parse_xml

CODE_NAMES = ("exceptionCode", "errorCode", "error")
MESSAGE_NAMES = ("exceptionMessage", "message", "error_description")
SESSION_CODE = "InvalidSessionId"


class VendorError(NamedTuple):
    """An error by the vendor itself: its code, verbatim, and its words, which nobody branches on."""

    code: str
    message: str

    def has_code(self, *codes: str) -> bool:
        """Return whether its code is one of ``codes``, whichever API has spelt it."""
        return fold(self.code) in {fold(code) for code in codes}


def fold(code: str) -> str:
    """Return ``code`` as all APIs spell it: ``InvalidSessionId`` is ``INVALID_SESSION_ID`` in 2.0. §4.3"""
    return code.replace("_", "").lower()


def read_error(response: httpx.Response) -> VendorError | None:
    """Return the error in ``response``; ``None`` for an answer that has none of the vendor's shapes."""
    if response.is_success:
        return None
    content = response.content.lstrip()
    fields = _read_xml(content) if content.startswith(b"<") else _read_json(content)
    code = next((fields[name] for name in CODE_NAMES if fields.get(name)), "")
    if not isinstance(code, str) or not code:
        return None
    message = next((fields[name] for name in MESSAGE_NAMES if fields.get(name)), "no message")
    return VendorError(message_line(code, ())[:100], message_line(str(message), secrets_in(response.request)))


def secrets_in(request: httpx.Request) -> list[str]:
    """Return the session of ``request``, in either header: an answer may repeat it."""
    sessions = (
        request.headers.get("x-sfdc-session", ""),
        request.headers.get("authorization", "").removeprefix("Bearer "),
    )
    return [session for session in sessions if session]


def _read_json(content: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    first = answer[0] if isinstance(answer, list) and answer else answer
    return first if isinstance(first, dict) else {}


def _read_xml(content: bytes) -> dict[str, Any]:
    try:
        root = parse_xml(content)
    except ValueError:
        return {}
    return root.texts() if root.name == "error" else {}
