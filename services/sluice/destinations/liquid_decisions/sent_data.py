"""The data of an item as it was sent.

A number that fits into no variable here is JSON all the same, and the vendor may read it: it is kept as its bytes,
which equal nothing.
"""

from typing import Any

import msgspec

from sluice.flow.batch import Item


def sent_data(item: Item) -> dict[str, Any]:
    """Return the data of ``item`` as it was sent, with its key fields."""
    return decode_data(_decode_item(item.encoded.body).data)


def decode_data(data: msgspec.Raw) -> dict[str, Any]:
    """Return the members of ``data``, a JSON object."""
    try:
        return _decode_object(data)
    except (msgspec.DecodeError, RecursionError):
        return {name: _value(raw) for name, raw in _decode_members(data).items()}


def _value(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return bytes(raw)


class _SentItem(msgspec.Struct):
    data: msgspec.Raw


_decode_item = msgspec.json.Decoder(_SentItem).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
