"""Record events of rows: their keys and their data."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sluice.cli.exits import Exit
from sluice.cli.publish.row_events import RowEvents
from sluice.cli.publish.rows import Row
from sluice.client.connection import Connection
from sluice.events import record_data
from sluice.records import InvalidRecord
from tests.cli.conftest import Run, failure
from tests.cli.publish.files import KEYED, publish, published


def test_columns_that_identify_the_record_become_a_mapping(crm: Connection, run: Run) -> None:
    Path("people.csv").write_text("email,country,name\na@b.c,de,Ann\n")
    options = ("--object", "profile", "--match", "email", "--match", "country", "--keep-key")
    assert run("publish", "crm", "people.csv", *options).exit_code == 0
    (event,) = published(crm)
    assert event["key"] == {"email": "a@b.c", "country": "de"}
    assert event["data"] == {"email": "a@b.c", "country": "de", "name": "Ann"}


def test_inserts_need_no_key(crm: Connection, run: Run) -> None:
    assert publish(run, "a.csv", "name\nAcme\nAcme\n", "--object", "o", "--operation", "insert").exit_code == 0
    assert [event.get("key") for event in published(crm)] == [None, None]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"idd,name\n1,x\n", "no column `id`; did you mean `idd`?", id="nearest column"),
        pytest.param(b"x,y\n1,x\n", "no column `id`; there are `x`, `y`", id="no near column"),
        pytest.param(b"id;name\n1;x\n", "if ';' separates the columns, say so", id="semicolons"),
    ],
)
def test_missing_key_column_is_one_sentence_before_kafka_is_asked(
    settings: Path, run: Run, content: bytes, sentence: str
) -> None:
    assert sentence in failure(publish(run, "a.csv", content, *KEYED), Exit.USAGE)


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        min_size=1,
    )
)
def test_cells_of_a_row_are_the_data_of_its_event(cells: dict[str, str]) -> None:
    key = next(iter(cells))
    event_of = RowEvents("o", "upsert", key, (), True, None).event
    if not cells[key]:
        with pytest.raises(InvalidRecord, match="expected a value in the key column"):
            event_of(Row(2, dict(cells)))
        return
    event = event_of(Row(2, dict(cells)))
    assert (event.key, record_data(event)) == (cells[key], cells)
