"""What was redriven is known again from the messages in the control topic, to the letter."""

import msgspec
import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from sluice.dead_letters.redrive_log import BLOCK, RedrivenOffsets
from sluice.events import GUARD_KEY

OFFSETS = st.integers(0, 3 * BLOCK) | st.integers(0, 2**63 - 1)
PLACES = st.tuples(st.integers(0, 2), OFFSETS)


def _record(partition: int, offset: int, key: bytes | None = None, value: bytes | None = None) -> ConsumerRecord:
    return ConsumerRecord("t", partition, offset, 0, 0, key, value, None, 0, 0, ())


@given(st.lists(st.sets(PLACES, max_size=20), max_size=4), st.sets(PLACES, max_size=20))
def test_letters_are_redriven_if_and_only_if_they_were_noted(
    transactions: list[set[tuple[int, int]]], others: set[tuple[int, int]]
) -> None:
    written, read = RedrivenOffsets(), RedrivenOffsets()
    for places in transactions:
        messages = written.add([_record(*place) for place in places])
        read.learn([_record(0, 0, message.key, message.value) for message in messages])
    noted = set().union(*transactions)
    for place in noted | others:
        assert (_record(*place) in read) == (_record(*place) in written) == (place in noted)


def test_a_million_letters_are_few_messages() -> None:
    assert len(RedrivenOffsets().add(_record(0, offset) for offset in range(1_000_000))) == -(-1_000_000 // BLOCK)


def test_other_entries_are_passed_over_and_broken_ones_are_not() -> None:
    redriven = RedrivenOffsets()
    redriven.learn([_record(0, 0, GUARD_KEY, b"{}"), _record(0, 1, None, b"{}"), _record(0, 2, b"redriven/0/0")])
    with pytest.raises(msgspec.DecodeError):
        redriven.learn([_record(0, 3, b"redriven/0/0", b"x")])
