"""A receipt as one line for people, and as one JSON object for programs."""

from typing import Any

import click
import msgspec

from sluice.cli.terminal import decoded, fitted, local_time, printable
from sluice.client.receipts import DeadLetter, Receipt, Succeeded
from sluice.events import Key

_APART = {"place", "key", "value", "headers", "event"}
"""Fields that stand in JSON in a form of their own, or, as the headers, not at all."""


def receipt_cells(object_: str, key: str, code: str, said: str) -> str:
    """Return the four as aligned columns, with ``·`` for what could control a terminal."""
    return f"{printable(object_):<18} {printable(key):<24} {printable(code):<20} {printable(said)}".rstrip()


HEADING = f"{'settled':<19}    {receipt_cells('object', 'key', 'code', 'what the vendor said')}"


def receipt_line(receipt: Receipt, *, terminal: bool) -> str:
    """Return aligned columns; for a terminal, coloured and cut to its width."""
    object_, key = object_and_key(receipt)
    if isinstance(receipt, Succeeded):
        mark, code, said = "✓", receipt.event.status, receipt.event.warning or receipt.event.record_id or ""
    else:
        mark, code, said = "✗", receipt.code or receipt.error_class, receipt.message
    line = f"{local_time(receipt.written_at)}  {mark} {receipt_cells(object_, key, code, said)}"
    if not terminal:
        return line
    if isinstance(receipt, DeadLetter):
        return click.style(fitted(line), fg="red")
    return fitted(line).replace("✓", click.style("✓", fg="green"), 1)


def receipt_json(receipt: Receipt) -> bytes:
    """Return every field of ``receipt``; bytes that are no record event are in base64."""
    fields: dict[str, Any] = {
        "receipt": "succeeded" if isinstance(receipt, Succeeded) else "dead-letter",
        **msgspec.structs.asdict(receipt.place),
        **{name: value for name, value in msgspec.structs.asdict(receipt).items() if name not in _APART},
    }
    if receipt.event is None:
        fields |= {"key_base64": receipt.key, "value_base64": receipt.value}  # msgspec writes bytes in base64
    else:
        fields["event"] = receipt.event
    return msgspec.json.encode(fields)


def object_and_key(receipt: Receipt) -> tuple[str, str]:
    """Return the names of the record as text; of bytes that are no record event, ``?`` and the message key."""
    if receipt.event is None:
        return "?", decoded(receipt.key)
    return receipt.event.object, key_text(receipt.event.key)


def key_text(key: Key) -> str:
    """Return a string key as it is, every other key as JSON."""
    return key if isinstance(key, str) else "" if key is None else msgspec.json.encode(key).decode()
