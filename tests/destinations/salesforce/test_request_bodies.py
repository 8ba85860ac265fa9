"""Request bodies: any reader finds the rows, in the order of the batch and in as many bytes as were counted."""

import csv
import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sluice.destinations.salesforce.csv_rows import encode_row
from sluice.destinations.salesforce.records import Records
from sluice.destinations.salesforce.request_bodies import FRAMES, encode_body
from sluice.destinations.salesforce.row_formats import ROW_FORMATS, ContentType
from sluice.flow.batch import Encoded
from sluice.flow.table_header import table_bytes
from sluice.flow.windows import WindowLimits, Windows
from tests.destinations.salesforce.encoding import bulk1_settings
from tests.support.factories import make_item, record

_values = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], include_characters='\r\n",'), min_size=1)
_cells = st.dictionaries(
    st.sampled_from(["Id", "Name", "Email", "Account.Ext__c", "N__c"]),
    _values.filter(lambda text: text != "#N/A"),
    min_size=1,
)


def _row(cells: dict[str, str]) -> Encoded:
    columns = tuple(cells)
    return Encoded("Contact/update", object(), encode_row(columns, list(cells.values())), True, columns)


def _read(body: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True)
    return [{name: value for name, value in row.items() if value} for row in rows]


@given(st.lists(_cells, min_size=1, max_size=12))
def test_table_has_the_rows_and_the_bytes_that_were_counted(rows: list[dict[str, str]]) -> None:
    encoded = [_row(cells) for cells in rows]
    body = encode_body("CSV", encoded, {})
    assert _read(body) == rows
    assert len(body) == table_bytes(encoded)


def test_header_is_spelt_as_salesforce_spells_it_and_has_each_column_once() -> None:
    rows = [
        _row({"ext__c": "1", "email": "a"}),
        _row({"EXT__C": "2", "Email": "b", "Own__c": "x"}),
        _row({"ext__c": "3"}),
    ]
    body = encode_body("CSV", rows, {"ext__c": "Ext__c", "email": "Email"})
    assert body == b"Ext__c,Email,Own__c\n1,a,\n2,b,x\n3,,"
    assert len(body) <= table_bytes(rows)


def test_row_is_spread_over_the_header_with_its_quotes() -> None:
    rows = [_row({"A": "1", "B": "2"}), _row({"B": 'x,"y"', "C": "3\n"}), _row({"B": "4", "A": "5"})]
    assert encode_body("CSV", rows, {}) == b'A,B,C\n1,2,\n,"x,""y""","3\n"\n5,4,'


@pytest.mark.parametrize("content_type", ["JSON", "XML"])
def test_rows_are_in_the_order_of_the_batch_and_counted_but_for_the_frame(content_type: ContentType) -> None:
    names = ["a", 'b, "c"', "d <&>"]
    rows = [
        Encoded("x", name, ROW_FORMATS[content_type].encode_row(("Name", "Gone"), [name, None]), True) for name in names
    ]
    body = encode_body(content_type, rows, {})
    assert len(body) == table_bytes(rows) + FRAMES[content_type].extra_bytes
    if content_type == "JSON":
        assert [row["Name"] for row in msgspec.json.decode(body)] == names
    else:
        assert [row.findtext("{*}Name") for row in etree.fromstring(body)] == names


_fields = st.none() | st.integers(-999_999, 999_999) | st.text('ab",\n', max_size=9)
_events = st.lists(
    st.tuples(st.integers(0, 9), st.dictionaries(st.sampled_from(["LastName", "Email", "N__c"]), _fields, max_size=3)),
    min_size=1,
    max_size=30,
)


@given(_events)
def test_bodies_of_windows_keep_to_the_limit_and_hold_all_events(events: list[tuple[int, dict[str, Any]]]) -> None:
    records = Records(bulk1_settings(), ROW_FORMATS["CSV"], needs_identifier=False)
    windows = Windows(WindowLimits(max_items=8, max_bytes=150, max_age_s=1.0))
    for offset, (key, data) in enumerate(events):
        encoded = records.encode(record("Contact", "upsert", {"Ext__c": f"A-{key}"}, data), "x")
        windows.add([make_item(offset, encoded=encoded)], 0.0)
    found = []
    while (batch := windows.take(1.0, "b")) is not None:
        body = encode_body("CSV", [item.encoded for item in batch.items], {})
        assert len(body) == batch.body_bytes <= 150
        found += _read(body)
    assert found == [
        {"Ext__c": f"A-{key}"} | {name: "#N/A" if value in ("", None) else str(value) for name, value in data.items()}
        for key, data in events
    ]
