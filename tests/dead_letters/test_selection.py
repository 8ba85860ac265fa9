"""Dead letters are selected by what is known of them, and alike failures are one reason."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.client.connection import Connection
from sluice.dead_letters.reasons import MAX_REASONS, NO_RECORD_EVENT, OTHER_MESSAGES, Reason, Tally, fold
from sluice.dead_letters.selection import DeadLetters, Selection, open_dead_letters
from sluice.flow.outcome import Fate
from sluice.kafka.topic_admin import TopicsError
from sluice.writer.lanes.receipt_messages import Failure
from tests.support.kafka_admin import RunningKafka
from tests.support.letters import LOST, UNKNOWN_FIELD, Letter, bury, letter_topics

LETTERS = [
    Letter("a"),
    Letter("b", LOST, batch_id="b-2"),
    Letter("c", partition=1, object_="profile"),
    Letter("d", partition=1, value=b'{"event_id":"e","object":"profile","job_id":"night"}'),
    Letter("poison", Failure(Fate.REJECTED, "not-a-record-event", "expected JSON"), value=b"\x00\xff"),
]


async def _keys(dead_letters: DeadLetters, selection: Selection) -> list[str]:
    return [letter.key.decode() async for reading in dead_letters.read(selection) for letter in reading.letters]


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        pytest.param(Selection(), "a b c d poison", id="everything"),
        pytest.param(Selection(codes=("UNKNOWN_FIELD",)), "a c d", id="code"),
        pytest.param(Selection(codes=("lost-answer", "not-a-record-event")), "b poison", id="one of two codes"),
        pytest.param(Selection(classes=("ambiguous",)), "b", id="class"),
        pytest.param(Selection(batches=("b-2",)), "b", id="batch"),
        pytest.param(Selection(objects=("profile",)), "c d", id="object"),
        pytest.param(Selection(keys=("a", "poison")), "a poison", id="key, also of what is no event"),
        pytest.param(Selection(jobs=("night",)), "d", id="job"),
        pytest.param(Selection(codes=("UNKNOWN_FIELD",), objects=("profile",), keys=("c",)), "c", id="all of them"),
        pytest.param(Selection(since=datetime.now(UTC) - timedelta(minutes=5)), "a b c d poison", id="since"),
        pytest.param(Selection(since=datetime.now(UTC) + timedelta(days=1)), "", id="since tomorrow"),
        pytest.param(Selection(until=datetime.now(UTC) - timedelta(days=1)), "", id="until yesterday"),
    ],
)
async def test_selection_reads_what_it_names(kafka: RunningKafka, prefix: str, selection: Selection, keys: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, LETTERS)
    async with open_dead_letters("crm", connection) as dead_letters:
        assert sorted(await _keys(dead_letters, selection)) == keys.split()


async def test_letters_of_a_partition_come_in_their_order(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter(str(number), partition=number % 2) for number in range(200)])
    async with open_dead_letters("crm", connection) as dead_letters:
        keys = [int(key) for key in await _keys(dead_letters, Selection())]
    for parity in (0, 1):
        assert [key for key in keys if key % 2 == parity] == list(range(parity, 200, 2))


async def test_missing_topics_are_named(kafka: RunningKafka, prefix: str) -> None:
    connection = Connection(kafka=(await letter_topics(kafka, prefix)).kafka, topic_prefix=f"{prefix}other.")
    with pytest.raises(TopicsError, match="sluice topics create crm"):
        async with open_dead_letters("crm", connection):
            pass


async def test_letters_are_counted_by_reason_and_object(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, LETTERS)
    tally = Tally()
    async with open_dead_letters("crm", connection) as dead_letters:
        async for reading in dead_letters.read(Selection()):
            tally.add(reading.letters)
    first = tally.groups[0]
    assert first.reason == Reason("rejected", "UNKNOWN_FIELD", 'field "…" of # is unknown')
    assert (first.letters, tally.letters) == (3, 5)
    assert dict(tally.objects) == {"group/company": 2, "profile": 2, NO_RECORD_EVENT: 1}


@pytest.mark.parametrize(
    ("message", "folded"),
    [
        ('field "nmae" of record c-17 is unknown', 'field "…" of record # is unknown'),
        ("no @ in 'joe at example.com'", "no @ in '…'"),
        ("row 5: expected 12.50, got -3.", "row #: expected #, got #."),
        ("at 2026-11-22T08:00:00.123Z", "at #:#:#"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301 not found", "# not found"),
        ("joe17@example.com bounced", "# bounced"),
        ("doesn't fit and can't", "doesn't fit and can't"),
        ("", ""),
    ],
)
def test_what_varies_is_folded(message: str, folded: str) -> None:
    assert fold(message) == folded


@given(st.text())
def test_folding_twice_changes_nothing(message: str) -> None:
    assert fold(fold(message)) == fold(message)


@given(st.text(max_size=300))
def test_no_digit_is_left(message: str) -> None:
    assert not re.search(r"\d", fold(message))


@given(st.text(alphabet="abc xyz.,;:!?-()ÄÖ"))
def test_plain_words_are_left_as_they_are(message: str) -> None:
    assert fold(message) == message


@given(st.lists(st.tuples(st.integers(), st.text(alphabet="abc 1.,"), st.uuids()), min_size=2, max_size=2))
def test_messages_that_differ_in_ids_and_quotes_are_alike(parts: list[tuple[int, str, object]]) -> None:
    one, other = (fold(f'row {number}: no "{quoted}" in {id_}.') for number, quoted, id_ in parts)
    assert one == other


async def test_reasons_are_bounded(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix, partitions=1)
    words = ["".join(chr(97 + number // 26**place % 26) for place in range(4)) for number in range(MAX_REASONS + 50)]
    await bury(connection, [Letter("a", UNKNOWN_FIELD._replace(message=word)) for word in words])
    tally = Tally()
    async with open_dead_letters("crm", connection) as dead_letters:
        async for reading in dead_letters.read(Selection()):
            tally.add(reading.letters)
    assert len(tally.groups) == MAX_REASONS + 1
    assert (tally.groups[0].reason.message, tally.groups[0].letters) == (OTHER_MESSAGES, 50)
