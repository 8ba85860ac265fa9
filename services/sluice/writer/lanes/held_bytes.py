"""The memory that a record takes while this process has it, and that of the messages which settle it.

Counting bytes of values alone missed nine tenths of it: small records are mostly Python objects, and headers can be
anything. Figures are of Python 3.11 and a test compares them.
"""

from collections.abc import Iterable, Sequence
from sys import getsizeof

from sluice.events import KafkaRecord, Key
from sluice.kafka.bounded_consumer import unpacked_bytes
from sluice.kafka.sending import Message

ITEM_BYTES = 850
"""An item without what its record brings: structs, strings, numbers, instants."""
RECEIPT_BYTES = 330
"""A receipt without its value, with the row and the offset of its item."""
REASON_BYTES = 2000
"""A dead letter or a retry likewise: it has ten headers more, and shares its item's value."""


def item_bytes(message_bytes: int, event_key: Key, body: bytes) -> int:
    """Return what an item takes whose message carries ``message_bytes``, and which is sent as ``body``."""
    key_bytes = len(event_key) if type(event_key) is str else _key_bytes(event_key)
    return ITEM_BYTES + message_bytes + key_bytes + len(body)


def undecodable_bytes(messages: Iterable[KafkaRecord]) -> int:
    """Return what ``messages`` take that can be no items."""
    return sum([ITEM_BYTES + unpacked_bytes(message) for message in messages])


def messages_bytes(receipts: Sequence[Message], with_reason: Iterable[Sequence[Message]]) -> int:
    """Return what ``receipts``, and the dead letters and retries ``with_reason``, take beside their items."""
    values_bytes = sum([len(receipt.value or b"") for receipt in receipts])
    return values_bytes + RECEIPT_BYTES * len(receipts) + REASON_BYTES * sum(map(len, with_reason))


def _key_bytes(key: Key) -> int:
    if isinstance(key, dict):
        return getsizeof(key) + sum([getsizeof(name) + getsizeof(value) for name, value in key.items()])
    return sum(map(_key_bytes, key)) if isinstance(key, list) else 0
