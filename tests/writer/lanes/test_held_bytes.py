"""What an item and the messages that settle it are said to take, against what Python takes for them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sluice.destinations.blueconic.entries import Entries
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.events import Key, encode_event
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome
from sluice.setting_types import Secret
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.held_bytes import messages_bytes
from sluice.writer.lanes.settlement import Settlement, VendorAnswer
from tests.support.factories import FakeMessage, make_batch, record
from tests.support.fakes import BUILDER, TIMES, FakeDestination
from tests.support.memory import held_bytes

COUNT = 500
MAPPING = {"email": "somebody@example.com"}


class Encoding(FakeDestination):
    """BlueConic's encoding, without BlueConic."""

    def __init__(self) -> None:
        super().__init__()
        settings = BlueConicSettings(url="http://nowhere", client_id="id", client_secret=Secret("secret"))
        self.encode = Entries(settings).encode  # type: ignore[method-assign]


def _decode(
    object_: str = "group/company", key: Key = "company-1234567", data_bytes: int = 200, headers: tuple[int, ...] = ()
) -> list[Item]:
    """Decode messages of one record with headers of so many bytes."""
    decode = Decoder(Encoding(), max_bytes=10_000_000).item
    encoded = encode_event(record(object_, key=key, data={"text": "x" * data_bytes}, event_id="e-1"))
    decode(FakeMessage(value=encoded), 0)  # what is kept for all items is not theirs

    def message(offset: int) -> FakeMessage:
        return FakeMessage(
            offset=1_000_000 + offset,
            timestamp=1_767_355_200_000 + offset,
            key=b"key-%d" % offset,
            value=bytes(bytearray(encoded)),
            headers=tuple([(f"name-{number}-{offset}", bytes(size)) for number, size in enumerate(headers)]),
        )

    return [decode(message(offset), 0) for offset in range(COUNT)]


@pytest.mark.parametrize(
    "decode",
    [
        pytest.param(lambda: _decode(data_bytes=10), id="small"),
        pytest.param(lambda: _decode(data_bytes=5000), id="large"),
        pytest.param(lambda: _decode(headers=(20,) * 20), id="many headers"),
        pytest.param(lambda: _decode(headers=(100_000,)), id="a large header"),
        pytest.param(lambda: _decode("profile", MAPPING), id="a mapping as key"),
        pytest.param(lambda: _decode("profile", [MAPPING] * 50), id="many alternatives as key"),
    ],
)
def test_items_take_what_is_counted(decode: Callable[[], list[Item]]) -> None:
    items, size_bytes = held_bytes(decode)
    counted_bytes = sum(item.held_bytes for item in items)
    assert 0.75 * counted_bytes < size_bytes < 1.25 * counted_bytes


@pytest.mark.parametrize("fate", [Fate.DELIVERED, Fate.REJECTED, Fate.RETRYABLE])
def test_messages_of_a_settlement_take_what_is_counted(fate: Fate) -> None:
    items = _decode()
    batch = make_batch(items)

    def settle() -> Settlement:
        fates = [(item, Outcome(fate, "CODE", f"vendor's words {item.offset}", str(item.offset))) for item in items]
        return BUILDER.of_answer(VendorAnswer(batch, fates, TIMES, lambda _: None), datetime.now(UTC))

    settlement, size_bytes = held_bytes(settle)
    counted_bytes = messages_bytes(settlement.succeeded, [settlement.dead, *settlement.retries.values()])
    assert 0.7 * counted_bytes < size_bytes < 1.3 * counted_bytes
