"""Record events of rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.publish.input_file import Row
from sluice.cli.publish.row_events import RowEvents
from sluice.events import record_data
from sluice.records import InvalidRecord

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAMES, CELLS, min_size=1))
def test_cells_of_a_row_are_the_data_of_its_event(cells: dict[str, str]) -> None:
    key = next(iter(cells))
    event_of = RowEvents("o", "upsert", key, (), True, None).event
    if not cells[key]:
        with pytest.raises(InvalidRecord, match="expected a value in the key column"):
            event_of(Row(2, dict(cells)))
        return
    event = event_of(Row(2, dict(cells)))
    assert (event.key, record_data(event)) == (cells[key], cells)
