"""Windows: hard limits, age from the first item, each identity once, order kept."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.batch import Batch, Encoded, FlushReason, InDoubt, Item, Part
from sluice.flow.windows import Limits, WindowLimits, Windows, WindowSettings, narrow
from tests.support.factories import NOON, make_item, record

LIMITS = WindowLimits(max_items=3, max_bytes=20, max_age_s=5.0)


@st.composite
def _items(draw: st.DrawFn) -> list[Item]:
    """Draw items of three batch keys and two lanes, with few identities and bodies up to the limit."""
    drawn = draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 1), st.integers(0, 9), st.integers(1, 20)), max_size=60
        )
    )
    return [
        make_item(offset, batch_key=group, lane=lane, identity=identity, body=b"x" * size)
        for offset, (group, lane, identity, size) in enumerate(drawn)
    ]


def _windows(items: Iterable[Item], now_s: float = 0.0) -> Windows:
    """Return windows to which ``items`` were added at ``now_s``."""
    windows = Windows(LIMITS)
    windows.add(items, now_s)
    return windows


def _drain(windows: Windows, now_s: float = 1_000_000.0) -> list[Batch]:
    batches: list[Batch] = []
    while (batch := windows.take(now_s, f"b-{len(batches)}")) is not None:
        batches.append(batch)
    return batches


def _offsets(batch: Batch | None) -> list[int]:
    return [] if batch is None else [item.offset for item in batch.items]


def test_window_opens_at_its_first_item() -> None:
    windows = Windows(LIMITS)
    assert windows.due_at_s() is None
    windows.add([make_item(0)], now_s=100.0)
    windows.add([make_item(1)], now_s=104.0)
    assert windows.due_at_s() == 105.0
    batch = windows.take(105.0, "b")
    assert batch is not None
    assert (batch.since_s, batch.closed_at_s, batch.batch_id) == (100.0, 105.0, "b")


def test_next_window_of_a_group_counts_its_age_anew() -> None:
    windows = _windows([make_item(0), make_item(1), make_item(2)], now_s=100.0)
    windows.add([make_item(3)], now_s=103.0)
    assert _offsets(windows.take(103.0, "b")) == [0, 1, 2]
    assert windows.due_at_s() == 108.0


@pytest.mark.parametrize(
    ("items", "reason", "taken"),
    [
        pytest.param([make_item(n) for n in range(4)], "count", [0, 1, 2], id="closed by count as soon as it is full"),
        pytest.param(
            [make_item(0, body=b"x" * 10), make_item(1, body=b"x" * 10)],
            "bytes",
            [0],
            id="closed by bytes before the item that would overshoot",
        ),
        pytest.param(
            [make_item(0, key="k"), make_item(1, key="k")], "duplicate", [0], id="closed before an identity it holds"
        ),
        pytest.param([make_item(0)], "age", [0], id="closed by age"),
    ],
)
def test_window_closes(items: list[Item], reason: FlushReason, taken: list[int]) -> None:
    batch = _windows(items).take(5.0, "b")
    assert batch is not None
    assert (_offsets(batch), batch.reason) == (taken, reason)


def test_window_holds_bodies_and_the_separators_between_them_up_to_the_last_byte() -> None:
    batch = _windows([make_item(0, body=b"x" * 10), make_item(1, body=b"x" * 9)]).take(5.0, "b")
    assert batch is not None
    assert (_offsets(batch), batch.body_bytes) == ([0, 1], 20)


def test_window_is_not_taken_before_its_age() -> None:
    assert _windows([make_item(0)]).take(4.999, "b") is None


def test_due_window_that_was_opened_first_is_taken_before_a_full_one() -> None:
    windows = _windows([make_item(0, batch_key="due")])
    windows.add([make_item(n, batch_key="full") for n in (1, 2, 3)], now_s=9.0)
    assert windows.due_at_s() == 0.0
    assert [_offsets(batch) for batch in _drain(windows, 9.0)] == [[0], [1, 2, 3]]


def test_oldest_due_window_is_taken_first() -> None:
    windows = _windows([make_item(0, batch_key="a")])
    windows.add([make_item(1, batch_key="b")], now_s=1.0)
    windows.add([make_item(2, batch_key="a")], now_s=2.0)
    assert [_offsets(batch) for batch in _drain(windows, 10.0)] == [[0, 2], [1]]


def test_due_window_goes_on_filling_until_it_is_taken() -> None:
    windows = _windows([make_item(0)])
    windows.add([make_item(1)], now_s=50.0)
    assert _offsets(windows.take(50.0, "b")) == [0, 1]


@pytest.mark.parametrize(
    ("max_items", "max_bytes", "closed"),
    [
        pytest.param(4, 10_000, [], id="none while all may stay"),
        pytest.param(3, 10_000, [[0, 1]], id="the largest for items"),
        pytest.param(0, 10_000, [[0, 1], [2], [3]], id="all"),
        pytest.param(4, 800, [[3]], id="the largest for bytes"),
    ],
)
def test_window_closes_under_pressure(max_items: int, max_bytes: int, closed: list[list[int]]) -> None:
    large = make_item(3, batch_key="c", event=record(data={"text": "x" * 500}))
    items = [make_item(0), make_item(1), make_item(2, batch_key="b"), large]
    windows = _windows(items)
    assert windows.relieve(max_items, max_bytes) == bool(closed)
    batches = _drain(windows, 0.0)
    assert [(_offsets(batch), batch.reason) for batch in batches] == [(offsets, "pressure") for offsets in closed]


@given(_items(), st.integers(0, 60))
@settings(max_examples=100, deadline=None)
def test_windows_that_stay_open_under_pressure_are_as_many_as_may_stay(items: list[Item], max_items: int) -> None:
    windows = _windows(items)
    before = len(windows) - sum(len(batch.items) for batch in _drain(_windows(items), 0.0))
    windows.relieve(max_items, 1_000_000)
    closed = [len(batch.items) for batch in _drain(windows, 0.0) if batch.reason == "pressure"]
    assert len(windows) == before - sum(closed) <= max_items
    assert not closed or before - sum(closed) + min(closed) > max_items


def test_window_is_shared_by_lanes() -> None:
    windows = _windows([make_item(0, lane=0)])
    windows.add([make_item(0, lane=1)], now_s=0.0)
    batch = windows.take(5.0, "b")
    assert batch is not None
    assert [item.lane for item in batch.items] == [0, 1]


@given(_items())
@settings(max_examples=100, deadline=None)
def test_batch_never_overshoots_items_or_bytes(items: list[Item]) -> None:
    for batch in _drain(_windows(items)):
        assert 1 <= len(batch.items) <= LIMITS.max_items
        assert len(b",".join(item.encoded.body for item in batch.items)) <= LIMITS.max_bytes


@given(_items())
@settings(max_examples=100, deadline=None)
def test_batch_names_each_identity_at_most_once(items: list[Item]) -> None:
    for batch in _drain(_windows(items)):
        identities = [item.encoded.identity for item in batch.items]
        assert len(identities) == len(set(identities))


@given(_items(), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_items_of_a_group_keep_their_order_and_none_is_lost(items: list[Item], share: int) -> None:
    windows = Windows(LIMITS)
    for start in range(0, len(items), share):
        windows.add(items[start : start + share], now_s=float(start))
    assert len(windows) == len(items)
    batches = _drain(windows)
    for group in "abc":
        taken = [item for batch in batches if batch.batch_key == group for item in batch.items]
        assert taken == [item for item in items if item.encoded.batch_key == group]
    assert len(windows) == 0


@given(_items())
@settings(max_examples=100, deadline=None)
def test_items_of_a_discarded_lane_are_gone_and_no_others(items: list[Item]) -> None:
    windows = _windows(items)
    windows.discard(0)
    kept = [item for item in items if item.lane == 1]
    assert len(windows) == len(kept)
    batches = _drain(windows)
    assert all(batch.items for batch in batches)
    assert sorted(item.offset for batch in batches for item in batch.items) == [item.offset for item in kept]


def test_discarded_items_leave_their_room_to_others() -> None:
    windows = _windows([make_item(0, lane=0, identity="x", body=b"x" * 15)])
    windows.add([make_item(1, lane=1)], now_s=0.0)
    windows.discard(0)
    windows.add([make_item(2, lane=1, identity="x", body=b"x" * 15)], now_s=1.0)
    assert _offsets(windows.take(5.0, "b")) == [1, 2]


def test_nothing_is_due_once_its_only_lane_is_discarded() -> None:
    windows = _windows([make_item(n) for n in range(4)])
    windows.discard(0)
    assert windows.due_at_s() is None
    assert windows.take(1_000.0, "b") is None


def test_what_an_earlier_owner_left_open_is_gathered_by_itself() -> None:
    windows = Windows(LIMITS)
    in_doubt = InDoubt(batch_id="b-0", refs={}, requested_at=NOON, lost_at_s=0.0)
    windows.add([make_item(0, in_doubt=in_doubt), make_item(1), make_item(2, in_doubt=in_doubt)], now_s=0.0)
    first, second = _drain(windows)
    assert (_offsets(first), first.in_doubt) == ([0, 2], in_doubt)
    assert (_offsets(second), second.in_doubt) == ([1], None)


def test_part_that_is_put_back_is_a_batch_of_its_own_after_what_is_full() -> None:
    windows = _windows([make_item(offset) for offset in range(3)])
    part = [make_item(offset) for offset in (7, 8)]
    windows.put_back([Part(items=part, suspected=2, answered_at_loss=4)], 1.0)
    assert (windows.due_at_s(), windows.suspected) == (0.0, [(2, 2)])
    full, back = _drain(windows)
    assert [item.offset for item in full.items] == [0, 1, 2]
    assert ([item.row for item in back.items], back.body_bytes, back.reason) == ([0, 1], 5, "bisect")
    assert (back.suspected, back.answered_at_loss, windows.suspected) == (2, 4, [])


def test_part_that_is_put_back_after_it_was_asked_for_is_in_doubt_no_more() -> None:
    windows = Windows(LIMITS)
    in_doubt = InDoubt(batch_id="b-0", refs={}, requested_at=NOON, lost_at_s=0.0)
    windows.put_back([Part(items=[make_item(in_doubt=in_doubt)])], 0.0)
    assert _drain(windows)[0].in_doubt is None


def test_nothing_is_suspected_of_a_lane_that_is_given_up_or_after_a_person_has_looked() -> None:
    windows = Windows(LIMITS)
    windows.put_back([Part(items=[make_item(lane=lane) for lane in (0, 1)], suspected=2)], 0.0)
    windows.discard(0)
    assert windows.suspected == [(1, 1)]
    windows.trust()
    assert windows.suspected == []


@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        pytest.param(WindowSettings(), WindowLimits(max_items=10, max_bytes=100, max_age_s=1.0), id="the vendor's"),
        pytest.param(
            WindowSettings(max_items=5, max_bytes=1_000, max_age_s=0.0),
            WindowLimits(max_items=5, max_bytes=100, max_age_s=0.0),
            id="narrowed and never widened",
        ),
    ],
)
def test_settings_narrow_limits(settings: WindowSettings, limits: WindowLimits) -> None:
    assert narrow(Limits(max_items=10, max_bytes=100, max_concurrent=1, max_age_s=1.0), settings) == limits


def test_batch_whose_items_have_a_sort_key_is_sorted_before_its_rows_are_numbered() -> None:
    encoded = [
        Encoded("Contact/update", number, b"x", True, sort_key=key) for number, key in enumerate(["b", "", "b", "a"])
    ]
    windows = Windows(WindowLimits(max_items=10, max_bytes=20, max_age_s=5.0))
    windows.add([make_item(number, encoded=one) for number, one in enumerate(encoded)], 0.0)
    batch = windows.take(5.0, "b")
    assert batch is not None
    assert [(item.row, item.offset) for item in batch.items] == [(0, 1), (1, 3), (2, 0), (3, 2)]


def test_what_becomes_a_job_is_held_back_without_room_and_goes_on_filling() -> None:
    windows = Windows(LIMITS, lambda items: items[0].encoded.batch_key == "jobs")
    jobs, writes = [[make_item(n, batch_key=key) for n in range(2)] for key in ("jobs", "writes")]
    windows.add([*jobs, *writes], 0.0)
    assert windows.due_at_s(has_room=False) == 5.0
    taken = windows.take(9.0, "b-1", has_room=False)
    assert taken is not None
    assert taken.batch_key == "writes"
    assert (windows.take(9.0, "b-2", has_room=False), windows.due_at_s(has_room=False)) == (None, None)
    windows.add([make_item(n, batch_key="jobs", identity=n) for n in (2, 3)], 9.0)
    assert windows.take(9.0, "b-3", has_room=False) is None
    assert [len(batch.items) for batch in _drain(windows)] == [3, 1]


def test_what_is_in_doubt_is_no_job_and_a_discarded_lane_makes_one_of_another_size() -> None:
    in_doubt = InDoubt(batch_id="b-0", refs={}, requested_at=NOON, lost_at_s=0.0)
    windows = Windows(LIMITS, lambda items: len(items) > 1)
    windows.add([make_item(n, in_doubt=in_doubt) for n in range(2)], 0.0)
    taken = windows.take(9.0, "b-1", has_room=False)
    assert taken is not None
    windows.add([make_item(n, lane=n % 2) for n in range(2)], 0.0)
    assert windows.take(9.0, "b-2", has_room=False) is None
    windows.discard(1)
    last = windows.take(9.0, "b-3", has_room=False)
    assert last is not None
    assert [item.lane for item in last.items] == [0]
