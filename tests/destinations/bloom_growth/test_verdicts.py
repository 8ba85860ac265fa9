"""Verdicts on lost creates: what counts as a proof."""

from datetime import timedelta

import pytest

from sluice.destinations.bloom_growth.answers import Record
from sluice.destinations.bloom_growth.titles import fold
from sluice.destinations.bloom_growth.verdicts import (
    Adopted,
    Bounds,
    Doubt,
    Listed,
    NotCreated,
    Unknown,
    judge,
    lane_key,
)
from sluice.destinations.bloom_growth.work import Create, decode_work
from sluice.flow.batch import InDoubt
from tests.destinations.bloom_growth.offline import issue, item_of
from tests.support.factories import NOON, record

TITLE = "Late trucks"
LONG = "Freight costs rose by nine percent again, and nobody knows why that is so"


def in_doubt(newest_id: int | None = 100, *, knows_time: bool = False) -> InDoubt:
    refs = {} if newest_id is None else {"issue": str(newest_id)}
    return InDoubt(batch_id="b", refs=refs, requested_at=NOON, lost_at_s=0.0, vendor_at=NOON if knows_time else None)


def doubt(title: str = TITLE, *, is_alone: bool = True) -> Doubt:
    item = item_of(issue(title=title))
    create = decode_work(item.encoded.body)
    assert isinstance(create, Create)
    return Doubt(item, create, fold(title), is_alone)


def listed(*rows: tuple[int, str]) -> dict[int, Listed]:
    return {id_: Listed(id_, fold(name), None, is_newer=True) for id_, name in rows}


@pytest.mark.parametrize(
    ("twins", "rows", "verdicts"),
    [
        pytest.param(1, [], [NotCreated()], id="nothing new"),
        pytest.param(1, [(101, "Other")], [NotCreated()], id="only others"),
        pytest.param(1, [(101, " Late  trucks")], [Adopted(101)], id="one namesake"),
        pytest.param(2, [(102, TITLE), (101, TITLE)], [Adopted(101), Adopted(102)], id="each takes one"),
        pytest.param(1, [(101, TITLE), (102, TITLE)], "expected 1 with its title, found 101, 102", id="too many"),
        pytest.param(2, [(101, TITLE)], "expected 2 with its title, found 101", id="too few"),
    ],
)
def test_counting_namesakes_is_the_proof(
    twins: int, rows: list[tuple[int, str]], verdicts: list[NotCreated | Adopted] | str
) -> None:
    found = [verdict for _, verdict in judge([doubt() for _ in range(twins)], listed(*rows))]
    assert found == ([Unknown(verdicts)] * twins if isinstance(verdicts, str) else verdicts)


def test_a_title_that_may_be_cut_proves_nothing() -> None:
    [(_, verdict)] = judge([doubt(LONG)], listed((101, LONG[:60])))
    assert verdict == Unknown("101 may be it, its title cut short")


def test_what_others_may_have_made_is_not_adopted() -> None:
    [(_, verdict)] = judge([doubt(is_alone=False)], listed((101, TITLE)))
    assert isinstance(verdict, Unknown)
    assert "publish creates of one meeting with the meeting's id as message key" in verdict.why


def test_what_may_be_old_is_not_adopted() -> None:
    [(_, verdict)] = judge([doubt()], {101: Listed(101, TITLE, None, is_newer=False)})
    assert verdict == Unknown("found 101, which may have been there before")


@pytest.mark.parametrize(
    ("bounds", "row", "counts"),
    [
        pytest.param(in_doubt(100), Record(id=100), None, id="an id that was shown before"),
        pytest.param(in_doubt(100), Record(id=101), True, id="a newer id"),
        pytest.param(in_doubt(None), Record(id=101), False, id="no bound"),
        pytest.param(
            in_doubt(None, knows_time=True), Record(id=101, create_time=(NOON).isoformat()), True, id="a newer time"
        ),
        pytest.param(
            in_doubt(1, knows_time=True),
            Record(id=101, create_time=(NOON - timedelta(minutes=6)).isoformat()),
            None,
            id="an older time",
        ),
        pytest.param(
            in_doubt(1, knows_time=True),
            Record(id=101, create_time=(NOON - timedelta(minutes=1)).isoformat()),
            False,
            id="an older time, or another clock of the vendor's",
        ),
        pytest.param(
            in_doubt(1, knows_time=True),
            Record(id=101, create_time="2020-01-01T00:00:00"),
            False,
            id="a newer id, which nobody had shown, and no zone",
        ),
        pytest.param(
            in_doubt(None, knows_time=True), Record(id=101, create_time="2020-01-01T00:00:00"), False, id="no zone"
        ),
        pytest.param(in_doubt(None, knows_time=True), Record(id=101, create_time=None), False, id="no time"),
    ],
)
def test_only_what_is_newer_counts(bounds: InDoubt, row: Record, counts: bool | None) -> None:
    found = Bounds("issue", bounds).listed(row)
    assert (None if found is None else found.is_newer) == counts


def test_one_lane_has_all_namesakes_by_their_key() -> None:
    personal = decode_work(item_of(record("todo", "insert", None, {"title": " Call  Ann"})).encoded.body)
    assert isinstance(personal, Create)
    assert (lane_key(doubt().create), lane_key(personal)) == (b"12", b"Call Ann")
