"""Keys as they may be one at the vendor: text and numbers alike, whatever their case and the blanks around them.

It compares keys as text on write: 5 and "5" are one. What it does with case and blanks is unknown, so keys that differ
only in them are taken for one. §15 [sandbox], [assumed]
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

_NUMBER = re.compile(r"([+-]?)0*(\d+?)(?:\.(\d*?)0*)?", re.ASCII)


def fold_text(text: str) -> str:
    """Return ``text`` as it is compared: trimmed, without case, a number by its value."""
    folded = text.strip().casefold()
    if folded and folded[0] in "+-0123456789" and (number := _NUMBER.fullmatch(folded)):
        sign, whole, fraction = number.groups()
        folded = f"{whole}.{fraction}" if fraction else whole
        return f"-{folded}" if sign == "-" and folded != "0" else folded
    return folded


def fold_value(value: Any) -> str | None:
    """Return the text by which a key field's ``value`` is compared; ``None`` for what can be no key. §3"""
    if isinstance(value, str):
        return fold_text(value) or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return fold_text(str(value))


def identity_of(item_type: str, folded: Iterable[str]) -> str:
    """Return the name of the item of ``item_type`` whose key fields have these values, in the order of the settings."""
    return "\0".join((item_type, *folded))


def fold_key(key: bytes) -> bytes:
    """Return an ordering key as its record may be known at the vendor; any bytes may come.

    A key of several fields is JSON with sorted names: each of its values is folded.
    """
    try:
        if key[:1] in (b"{", b"["):
            return _encode(_folded_inside(_decode(key)))
        return fold_text(key.decode()).encode()
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return key


def _folded_inside(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _folded_inside(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_folded_inside(inner) for inner in value]
    return fold_value(value)


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode
