"""Sent data: the data of an item as it left, with its key."""

import msgspec

from sluice.destinations.liquid_decisions.items import Items
from sluice.destinations.liquid_decisions.sent_data import decode_data, sent_data
from tests.destinations.liquid_decisions.offline import SETTINGS, account
from tests.support.factories import make_item


def test_it_is_what_the_vendor_gets() -> None:
    event = account("A", name="x")
    assert sent_data(make_item(encoded=Items(SETTINGS).encode(event, "0-1"))) == {"name": "x", "accountId": "A"}


def test_what_cannot_be_read_here_equals_nothing() -> None:
    data = decode_data(msgspec.Raw(b'{"a":1e999,"b":[1e999],"c":1}'))
    assert data == {"a": b"1e999", "b": b"[1e999]", "c": 1}
