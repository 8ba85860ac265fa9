"""Headers mean the same to everybody who reads them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord

from sluice.client.receipts import read_dead_letter
from sluice.events import MAX_REFS_BYTES, Header, Place
from sluice.headers import header, header_instant, header_number, redrive_count, refs_of, source_of
from sluice.writer.lanes.decoding import origin_of

TWICE = [(name.value, value) for value in (b"1", b"2") for name in Header]
PLACE = Place(topic="2", partition=2, offset=2)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(lambda message: tuple(origin_of(message)), (PLACE, 2), id="origin in the writer"),
        pytest.param(lambda message: read_dead_letter(message).source, PLACE, id="source of a dead letter"),
        pytest.param(lambda message: read_dead_letter(message).attempt, 2, id="attempt of a dead letter"),
        pytest.param(lambda message: read_dead_letter(message).redrive_count, 2, id="redrives of a dead letter"),
        pytest.param(lambda message: redrive_count(message.headers), 2, id="redrives in a redrive"),
    ],
)
def test_the_last_of_several_counts_for_everybody(read: Callable[[ConsumerRecord], object], expected: object) -> None:
    assert read(ConsumerRecord("t", 0, 1, 0, 0, None, None, None, 0, 0, tuple(TWICE))) == expected


@pytest.mark.parametrize(
    ("value", "number", "instant"),
    [
        pytest.param(b"17", 17, None, id="a number"),
        pytest.param(b"2026-11-01T12:30:00Z", None, datetime(2026, 11, 1, 12, 30, tzinfo=UTC), id="an instant"),
        pytest.param(b"2026-11-01T12:30:00", None, None, id="an instant without a time zone"),
        pytest.param(b"\xff", None, None, id="bytes that are not UTF-8"),
        pytest.param(b"9999-12-31T23:59:59-01:00", None, None, id="an instant after the last year"),
        pytest.param(b"0001-01-01T00:00:00+01:00", None, None, id="an instant before the first year"),
    ],
)
def test_a_value_that_makes_no_sense_is_none(value: bytes, number: int | None, instant: datetime | None) -> None:
    headers = [("name", value)]
    assert (header(headers, "name"), header_number(headers, "name")) == (value, number)
    assert header_instant(headers, "name") == instant


@pytest.mark.parametrize(
    ("value", "refs"),
    [
        pytest.param(b'{"meeting":"7"}', {"meeting": "7"}, id="refs"),
        pytest.param(b'{"meeting":7}', {}, id="no texts"),
        pytest.param(b"[" * 500, {}, id="no JSON"),
        pytest.param(b'{"meeting":"' + b"7" * MAX_REFS_BYTES + b'"}', {}, id="more than anybody of ours writes"),
    ],
)
def test_refs_are_texts_by_name(value: bytes, refs: dict[str, str]) -> None:
    assert refs_of([(Header.REFS, value)]) == refs
    assert refs_of([]) == {}


def test_a_source_in_no_possible_topic_is_none() -> None:
    assert source_of([*TWICE, (Header.SOURCE_TOPIC.value, b"a/b")]) is None
    assert source_of(TWICE[:1]) is None
    assert redrive_count([(Header.REDRIVE_COUNT.value, b"-3")]) == 0
