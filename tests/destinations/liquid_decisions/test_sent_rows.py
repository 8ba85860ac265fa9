"""SentRows: each row knows what was seen of it, in little memory."""

import sys

import pytest

from sluice.destinations.liquid_decisions.sent_rows import DIFFERENT, EQUAL, UNSEEN, SentRows


def _rows() -> SentRows:
    rows = SentRows()
    for row, identity in ((4, "a"), (0, "b"), (9, "c")):
        rows.add(row, identity, ("value",) if identity != "c" else ("value", "name"), {"value": row})
    return rows


def test_each_row_is_compared_by_the_fields_that_were_sent() -> None:
    rows = _rows()
    assert rows.compare("a", {"value": 4.0, "other": 1})
    assert rows.compare("c", {"value": 9, "name": "new"})
    assert not rows.compare("d", {"value": 4})
    assert dict(rows.states()) == {4: EQUAL, 0: UNSEEN, 9: DIFFERENT}
    assert (rows.count(EQUAL), rows.count(UNSEEN, DIFFERENT), len(rows)) == (1, 2, 3)


@pytest.mark.parametrize(("seen", "state"), [((4, 5), EQUAL), ((5, 4), EQUAL), ((5, 6), DIFFERENT)])
def test_what_was_equal_once_was_applied_whatever_comes_after(seen: tuple[int, ...], state: int) -> None:
    rows = _rows()
    for value in seen:
        rows.compare("a", {"value": value})
    assert dict(rows.states())[4] == state


def test_rows_may_be_added_after_a_comparison() -> None:
    rows = _rows()
    rows.compare("b", {"value": 0})
    rows.add(2, "0", ("value",), {"value": 2})
    assert rows.compare("0", {"value": 2})
    assert dict(rows.states()) == {4: UNSEEN, 0: EQUAL, 9: UNSEEN, 2: EQUAL}


def test_a_row_takes_less_than_100_bytes() -> None:
    rows, count = SentRows(), 10_000
    for row in range(count):
        rows.add(row, f"Account\0{row}", ("value", "name"), {"value": row, "name": "x" * 50})
    rows.compare("Account\x005", {})
    parts = [rows._hashes, rows._rows, rows._shapes, rows._digests, rows._states, *rows._hashes]
    assert sum(map(sys.getsizeof, parts)) / count < 100
