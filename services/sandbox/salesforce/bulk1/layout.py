"""Layout of control answers, to the byte. salesforce_bulk.md §3.3, §3.5, §3.6, §3.11."""

import json
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from sandbox.http.messages import Response
from sandbox.salesforce.bulk1.media_types import MARKUP_TYPES, Markup
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.bulk1.xml_reading import NAMESPACE
from sandbox.salesforce.values import Value, as_text, instant_at, json_instant

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def xml_root(name: str, lines: Iterable[str]) -> bytes:
    """Return a document with each child on its own line, indented by one space. §3.3 [docs]"""
    inside = "".join(f" {line}\n" for line in lines)
    return f'{DECLARATION}<{name}\n   xmlns="{NAMESPACE}">\n{inside}</{name}>\n'.encode()


def xml_fields(fields: Mapping[str, Value]) -> list[str]:
    """Return a line per field that is set."""
    return [f"<{name}>{xml_text(as_text(value))}</{name}>" for name, value in fields.items() if value is not None]


def xml_text(text: str) -> str:
    """Escape the text of an element. XML 1.0 cannot carry control characters: each becomes a space. [assumed]"""
    cleaned = text.translate(_NOT_IN_XML) if not text.isprintable() else text
    return escape(cleaned)


def json_document(value: object) -> bytes:
    """Encode with the spaces that §3.11 shows."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def json_members(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Sort the names, as in the documentation's samples. §3.3 [docs]"""
    return dict(sorted(fields.items()))


def document(markup: Markup, body: bytes, *, status: int = 200) -> Response:
    return Response(status=status, body=body, content_type=MARKUP_TYPES[markup])


def fields_document(markup: Markup, root: str, fields: Mapping[str, Value], *, status: int = 200) -> Response:
    body = json_document(json_members(fields)) if markup == "json" else xml_root(root, xml_fields(fields))
    return document(markup, body, status=status)


def refusal_response(refusal: Refusal, markup: Markup) -> Response:
    """Return the error of §3.11."""
    fields: dict[str, Value] = {"exceptionCode": refusal.code, "exceptionMessage": refusal.message}
    return fields_document(markup, "error", fields, status=refusal.status)


def instant(at: float, markup: Markup) -> str:
    """Return whole seconds: XML ``2024-11-21T09:28:59.000Z``, JSON ``2024-11-21T09:28:59.000+0000``. §3.1 [docs]"""
    text = instant_at(int(at))
    return text if markup == "xml" else json_instant(text)


_NOT_IN_XML = dict.fromkeys([*(set(range(0x20)) - {0x9, 0xA, 0xD}), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], " ")
