"""A receipt as one line for people, and as one JSON object for programs."""

import base64
from typing import Any

import click
import msgspec

from sluice.cli.terminal import decoded, fitted, local_time, printable
from sluice.client.receipts import DeadLetter, Receipt, Succeeded
from sluice.events import Key

_OBJECT_WIDTH = 18
_KEY_WIDTH = 24
_CODE_WIDTH = 20

HEADING = (
    f"{'settled':<19}    {'object':<{_OBJECT_WIDTH}} {'key':<{_KEY_WIDTH}} {'code':<{_CODE_WIDTH}} what the vendor said"
)


def receipt_line(receipt: Receipt, *, terminal: bool) -> str:
    """Return aligned columns; for a terminal, coloured and cut to its width."""
    event = receipt.event
    object_ = event.object if event else "?"
    key = key_text(event.key) if event else decoded(receipt.key if isinstance(receipt, DeadLetter) else None)
    if isinstance(receipt, Succeeded):
        mark, code, said = "✓", receipt.event.status, receipt.event.warning or receipt.event.record_id or ""
    else:
        mark, code, said = "✗", receipt.code or receipt.error_class, receipt.message
    line = (
        f"{local_time(receipt.written_at)}  {mark} {_cell(object_, _OBJECT_WIDTH)} "
        f"{_cell(key, _KEY_WIDTH)} {_cell(code, _CODE_WIDTH)} {printable(said)}"
    ).rstrip()
    if not terminal:
        return line
    line = fitted(line)
    return (
        click.style(line, fg="red")
        if isinstance(receipt, DeadLetter)
        else line.replace("✓", click.style("✓", fg="green"), 1)
    )


def receipt_json(receipt: Receipt) -> bytes:
    """Return every field of ``receipt``; bytes that are no record event are in base64."""
    common: dict[str, Any] = {
        "receipt": "succeeded" if isinstance(receipt, Succeeded) else "dead-letter",
        "topic": receipt.place.topic,
        "partition": receipt.place.partition,
        "offset": receipt.place.offset,
        "written_at": receipt.written_at,
        "traceparent": receipt.traceparent,
    }
    fields = {"event": receipt.event} if isinstance(receipt, Succeeded) else _dead_letter(receipt)
    return msgspec.json.encode(common | fields)


def key_text(key: Key) -> str:
    """Return a string key as it is, every other key as JSON."""
    return key if isinstance(key, str) else "" if key is None else msgspec.json.encode(key).decode()


def _dead_letter(letter: DeadLetter) -> dict[str, Any]:
    content = (
        {"event": letter.event}
        if letter.event
        else {"key_base64": _base64(letter.key), "value_base64": _base64(letter.value)}
    )
    return {
        "error_class": letter.error_class,
        "code": letter.code,
        "message": letter.message,
        "http_status": letter.http_status,
        "attempt": letter.attempt,
        "batch_id": letter.batch_id,
        "source": letter.source,
        "first_failure_at": letter.first_failure_at,
        "redrive_count": letter.redrive_count,
        **content,
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _cell(text: str, width: int) -> str:
    return f"{printable(text):<{width}}"
