"""Forms of rows: only a table's rows do not name their columns."""

from sluice.destinations.salesforce.row_formats import ROW_FORMATS


def test_csv_alone_is_a_table() -> None:
    assert {name: row_format.is_table for name, row_format in ROW_FORMATS.items()} == {
        "CSV": True,
        "JSON": False,
        "XML": False,
    }
