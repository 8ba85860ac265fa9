"""What was redriven is known again from the messages in the control topic, to the letter."""

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from sluice.dead_letters.redrive_log import BLOCK, RedrivenOffsets
from sluice.events import GUARD_KEY
from sluice.kafka.topic_admin import TopicsError

OFFSETS = st.integers(0, 3 * BLOCK) | st.integers(0, 2**63 - 1)
PLACES = st.tuples(st.integers(0, 2), OFFSETS)


def _record(partition: int, offset: int, key: bytes | None = None, value: bytes | None = None) -> ConsumerRecord:
    return ConsumerRecord("t", partition, offset, 0, 0, key, value, None, 0, 0, ())


@given(st.lists(st.sets(PLACES, max_size=20), max_size=4), st.sets(PLACES, max_size=20))
def test_letters_are_redriven_if_and_only_if_they_were_noted(
    transactions: list[set[tuple[int, int]]], others: set[tuple[int, int]]
) -> None:
    written, read = RedrivenOffsets("a"), RedrivenOffsets("a")
    for places in transactions:
        messages = written.add([_record(*place) for place in places])
        read.learn([_record(0, 0, message.key, message.value) for message in messages])
    noted = set().union(*transactions)
    for place in noted | others:
        assert (_record(*place) in read) == (_record(*place) in written) == (place in noted)


def test_a_million_letters_are_few_messages() -> None:
    assert len(RedrivenOffsets("a").add(_record(0, offset) for offset in range(1_000_000))) == -(-1_000_000 // BLOCK)


def test_letters_of_a_topic_that_was_made_anew_are_not_those_that_were_redriven_in_the_old_one() -> None:
    [message] = RedrivenOffsets("a").add([_record(0, 7)])
    for topic_id, known in (("a", True), ("b", False)):
        redriven = RedrivenOffsets(topic_id)
        redriven.learn([_record(0, 0, message.key, message.value)])
        assert (_record(0, 7) in redriven) is known


def test_entry_without_an_id_counts_as_before() -> None:
    redriven = RedrivenOffsets("b")
    redriven.learn([_record(0, 0, b"redriven/0/0", b'{"partition": 0, "first_offset": 0, "bits": "80"}')])
    assert _record(0, 7) in redriven


@pytest.mark.parametrize("value", [b"x", b"\xff", b'{"partition": 0, "first_offset": 0, "bits": "zz"}'])
def test_other_entries_are_passed_over_and_broken_ones_are_not(value: bytes) -> None:
    redriven = RedrivenOffsets("a")
    redriven.learn([_record(0, 0, GUARD_KEY, b"{}"), _record(0, 1, None, b"{}"), _record(0, 2, b"redriven/0/0")])
    with pytest.raises(TopicsError, match="expected a RedrivenEvent in t 0/3"):
        redriven.learn([_record(0, 3, b"redriven/0/0", value)])
