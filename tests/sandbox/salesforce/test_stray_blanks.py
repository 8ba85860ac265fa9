"""Blanks beside quotes. salesforce_bulk.md §13.8."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce.stray_blanks import mend

TEXTS = st.text(st.sampled_from('ab,"\n\r '), max_size=40)


@pytest.mark.parametrize(
    ("text", "mended", "records"),
    [
        pytest.param('a\n"b" \n', 'a\n"b"\n', {1}, id="behind a quote"),
        pytest.param('a,b\n1, "2"\n3,4', 'a,b\n1,"2"\n3,4', {1}, id="before a quote"),
        pytest.param(' "a"\nb', '"a"\nb', {0}, id="in the header"),
        pytest.param('a\n\n\r\nb\n "c"', 'a\n\n\r\nb\n"c"', {2}, id="behind blank lines"),
        pytest.param('a\n"b\n ""c"" "\n "d"', 'a\n"b\n ""c"" "\n"d"', {2}, id="inside quotes it is data"),
        pytest.param('a\n5" pipe\nb', "a\n5 pipe\nb", {1}, id="within a text that is not quoted"),
        pytest.param('a\n "b\nc', "a\n b\nc", {1}, id="at a quote that is never closed"),
        pytest.param('a\n"b"\n', 'a\n"b"\n', set(), id="none"),
    ],
)
def test_a_blank_beside_a_quote_is_taken_out_and_its_record_named(text: str, mended: str, records: set[int]) -> None:
    found = mend(text.encode(), ",")
    assert (found.body.decode(), set(found.records)) == (mended, records)


@given(text=TEXTS)
def test_a_mended_text_has_as_many_records_as_were_counted(text: str) -> None:
    body, records = mend(text.encode(), ",")
    try:
        read = [row for row in csv.reader(StringIO(body.decode(), newline=""), strict=True) if row]
    except csv.Error:  # An open quote, for example, is an error of the file.
        return
    assert max(records, default=-1) < len(read)


@given(text=TEXTS)
def test_a_mended_text_stays_as_it_is(text: str) -> None:
    body, records = mend(text.encode(), ",")
    assert not records or mend(body, ",").body == body
