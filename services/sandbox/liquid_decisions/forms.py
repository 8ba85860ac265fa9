"""Form bodies, also mislabelled ones. liquid_decisions.md §1."""

from typing import Any

import msgspec

from sandbox.http.messages import UNREADABLE, Request, first_values
from sandbox.liquid_decisions.refusal import Refusal

Form = dict[str, str]
"""Fields with a value. An empty one counts as not sent: RFC 6749 §3.2, and for exports §10 [docs] [client]."""

_FLAGS = {"true": True, "false": False}


def read_form(request: Request) -> Form:
    """Read a form, or JSON when the body begins like JSON, whatever the header says: the wiki mislabels. §1 [docs]"""
    if request.body.lstrip()[:1] in (b"{", b"["):
        return _json_fields(request.body)
    return {name: value for name, value in first_values(request.form).items() if value}


def required(form: Form, name: str) -> str:
    if name not in form:
        raise Refusal(f"{name} is required")
    return form[name]


def flag(form: Form, name: str) -> bool:
    """Read ``True`` or ``False`` in any case, by default false. §7 [assumed]"""
    text = form.get(name, "false")
    if text.lower() not in _FLAGS:
        raise Refusal(f"{name}: expected True or False, got {text!r}")
    return _FLAGS[text.lower()]


def whole_number(form: Form, name: str, *, default: int, least: int, most: int) -> int:
    text = form.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or not least <= int(text) <= most:
        raise Refusal(f"{name}: expected a whole number from {least} to {most}, got {text[:40]!r}")
    return int(text)


def _json_fields(body: bytes) -> Form:
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        raise Refusal(f"expected a form, or a JSON object of its fields: {error}") from None
    texts = {name: as_text(value) for name, value in found.items()}
    return {name: text for name, text in texts.items() if text}


def as_text(value: Any) -> str:
    """Return a JSON value as a form or a CSV cell shows it: text as it is, null as empty, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
