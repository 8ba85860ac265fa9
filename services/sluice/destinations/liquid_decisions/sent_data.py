"""The data of an item as it was sent."""

from typing import Any

import msgspec

from sluice.flow.batch import Item


def sent_data(item: Item) -> dict[str, Any]:
    """Return the data of ``item`` as it was sent, with its key fields."""
    return _decode(item.encoded.body).data


class _SentItem(msgspec.Struct):
    data: dict[str, Any]


_decode = msgspec.json.Decoder(_SentItem).decode
