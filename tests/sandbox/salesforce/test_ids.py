"""Ids of 15 and 18 characters. salesforce_bulk.md §1."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce import ids


@given(serial=st.integers(0, 62**9 - 1), prefix=st.sampled_from(["750", "001", "a00", "00Q"]))
def test_an_id_survives_losing_its_case_or_its_checksum(serial: int, prefix: str) -> None:
    made = ids.make(prefix, serial)
    for spelling in (made, made[:15], made.lower(), made.upper()):
        assert ids.canonical(spelling) == made
        assert ids.serial_of(spelling, prefix) == serial


@given(text=st.text(max_size=20))
def test_what_is_no_id_is_none(text: str) -> None:
    found = ids.canonical(text)
    assert found is None or len(found) == 18
