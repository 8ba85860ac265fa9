"""Alike failures are one reason, and reasons are counted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.client.connection import Connection
from sluice.dead_letters.reasons import MAX_REASONS, NO_RECORD_EVENT, OTHER_MESSAGES, Reason, Tally, fold
from sluice.dead_letters.selection import open_dead_letters
from tests.support.letters import ALL, LETTERS, UNKNOWN_FIELD, Letter, bury


async def _tally(connection: Connection) -> Tally:
    tally = Tally()
    async with open_dead_letters("crm", connection) as dead_letters:
        async for selected in dead_letters.read(ALL):
            tally.add(selected.letters)
    return tally


async def test_letters_are_counted_by_reason_and_object(connection: Connection) -> None:
    await bury(connection, LETTERS)
    tally = await _tally(connection)
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


async def test_reasons_are_bounded(connection: Connection) -> None:
    words = ["".join(chr(97 + number // 26**place % 26) for place in range(4)) for number in range(MAX_REASONS + 50)]
    await bury(connection, [Letter("a", UNKNOWN_FIELD._replace(message=word)) for word in words])
    tally = await _tally(connection)
    assert len(tally.groups) == MAX_REASONS + 1
    assert (tally.groups[0].reason.message, tally.groups[0].letters) == (OTHER_MESSAGES, 50)
