"""Header of a table: the count is what the request body will be, to the byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.batch import Batch, Encoded
from sluice.flow.table_header import TableHeader, table_bytes, union
from sluice.flow.windows import WindowLimits, Windows
from tests.support.factories import make_item

MAX_BYTES = 60


def _row(cells: dict[str, str]) -> Encoded:
    return Encoded("Contact/update", object(), ",".join(cells.values()).encode(), True, tuple(cells))


def _written(rows: list[Encoded]) -> bytes:
    """Write ``rows`` as a table, the plain way."""
    header = list(dict.fromkeys(column for row in rows for column in row.columns))
    lines = [",".join(header)]
    for row in rows:
        cells = dict(zip(row.columns, row.body.decode().split(","), strict=True))
        lines.append(",".join(cells.get(column, "") for column in header))
    return "\n".join(lines).encode()


_cells = st.dictionaries(
    st.sampled_from(["Id", "Name", "Email", "Größe", "Account.Ext__c"]), st.text("abü#", max_size=6), min_size=1
)
_rows = st.lists(_cells.map(_row), min_size=1, max_size=25)


def _batches(rows: list[Encoded], limits: WindowLimits) -> list[Batch]:
    windows = Windows(limits)
    windows.add([make_item(offset, encoded=row) for offset, row in enumerate(rows)], 0.0)
    batches = []
    while (batch := windows.take(1.0, "b")) is not None:
        batches.append(batch)
    return batches


@given(_rows)
@settings(max_examples=200, deadline=None)
def test_counted_bytes_are_those_of_the_body(rows: list[Encoded]) -> None:
    assert table_bytes(rows) == len(_written(rows))
    assert ",".join(union(rows)).encode() == _written(rows).partition(b"\n")[0]


@given(_rows)
@settings(max_examples=300, deadline=None)
def test_batch_that_is_a_table_is_counted_to_the_byte_and_never_too_large(rows: list[Encoded]) -> None:
    batches = _batches([row for row in rows if table_bytes([row]) <= MAX_BYTES], _limits())
    for batch, following in zip(batches, [*batches[1:], None], strict=False):
        encoded = [item.encoded for item in batch.items]
        assert batch.body_bytes == len(_written(encoded)) <= MAX_BYTES
        if following is not None:
            assert batch.reason == "bytes"
            assert len(_written([*encoded, following.items[0].encoded])) > MAX_BYTES


@given(_rows, st.integers(0, 1_000))
@settings(max_examples=100, deadline=None)
def test_table_is_counted_anew_when_a_lane_is_given_up(rows: list[Encoded], lanes: int) -> None:
    windows = Windows(_limits(max_bytes=100_000))
    windows.add([make_item(n, lane=lanes >> (n % 10) & 1, encoded=row) for n, row in enumerate(rows)], 0.0)
    windows.discard(0)
    added = _row({"Late": "x"})
    windows.add([make_item(99, lane=1, encoded=added)], 0.0)
    batch = windows.take(1.0, "b")
    assert batch is not None
    assert batch.body_bytes == len(_written([item.encoded for item in batch.items]))


def test_window_closes_before_the_header_is_too_long() -> None:
    rows = [_row({"aaaa": "1"}), _row({"bbbb": "2"}), _row({"cccc": "3"})]
    batches = _batches(rows, _limits(max_header_bytes=10))
    assert [(len(batch.items), batch.reason) for batch in batches] == [(2, "bytes"), (1, "age")]


@pytest.mark.parametrize(
    ("columns", "cost"),
    [
        pytest.param(("a", "b"), (0, 0), id="nothing for the columns that are there"),
        pytest.param(("a",), (1, 0), id="a comma for one that it lacks"),
        pytest.param(("a", "b", "cc"), (3 + 2, 3), id="a column in the header, and a comma in every row before"),
        pytest.param(("cc",), (3 + 2 + 2, 3), id="both"),
    ],
)
def test_row_costs(columns: tuple[str, ...], cost: tuple[int, int]) -> None:
    header = TableHeader()
    assert header.add(("a", "b")) == 4
    assert header.add(("b", "a")) == 0
    assert header.cost(columns) == cost
    assert header.add(columns) == cost[0]


def test_items_without_columns_have_separators_alone() -> None:
    rows = [Encoded("company", n, b"{}", True) for n in range(3)]
    assert (table_bytes(rows), union(rows)) == (8, ())


def _limits(max_bytes: int = MAX_BYTES, max_header_bytes: int | None = None) -> WindowLimits:
    return WindowLimits(max_items=100, max_bytes=max_bytes, max_age_s=1.0, max_header_bytes=max_header_bytes)
