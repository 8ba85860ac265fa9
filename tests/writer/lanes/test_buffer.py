"""Buffer: full at either limit, roomy again well below both."""

import pytest

from sluice.writer.lanes.buffer import Buffer, BufferLimits, buffer_limits


@pytest.mark.parametrize(
    ("items", "item_bytes", "full", "roomy"),
    [
        pytest.param(75, 750, False, True, id="at three quarters of both"),
        pytest.param(76, 0, False, False, id="items between"),
        pytest.param(0, 751, False, False, id="bytes between"),
        pytest.param(100, 0, True, False, id="full of items"),
        pytest.param(1, 1000, True, False, id="full of bytes"),
    ],
)
def test_buffer_fills_by_items_and_by_bytes(items: int, item_bytes: int, full: bool, roomy: bool) -> None:
    buffer = Buffer(BufferLimits(max_items=100, max_bytes=1000))
    buffer.enter(items, item_bytes)
    assert (buffer.full, buffer.roomy) == (full, roomy)


def test_buffer_counts_what_enters_and_leaves() -> None:
    buffer = Buffer(BufferLimits(max_items=100, max_bytes=1000))
    buffer.enter(3, 30)
    buffer.leave(1, 20)
    assert (buffer.items, buffer.item_bytes) == (2, 10)


def test_lane_that_is_lost_leaves_nothing_behind_and_the_others_stay() -> None:
    buffer = Buffer(BufferLimits(max_items=100, max_bytes=1000))
    lost, other = buffer.share(), buffer.share()
    other.enter(2, 20)
    lost.enter(3, 30)
    lost.leave(1, 10)
    lost.clear()
    assert (buffer.items, buffer.item_bytes) == (2, 20)


@pytest.mark.parametrize(
    ("max_batch_items", "max_items", "max_bytes", "expected"),
    [
        pytest.param(1000, None, None, (40_000, 64 * 2**20), id="small batches"),
        pytest.param(10_000, None, None, (80_000, 96 * 2**20), id="eight large batches"),
        pytest.param(6_000, None, None, (48_000, 48_000 * 1536), id="eight batches of middle size"),
        pytest.param(20_000, None, None, (160_000, 96 * 2**20), id="no more than may be held"),
        pytest.param(10_000, 500, None, (500, 64 * 2**20), id="fewer items by the settings"),
        pytest.param(10_000, None, 7, (80_000, 7), id="fewer bytes by the settings"),
    ],
)
def test_buffer_holds_eight_batches_unless_the_settings_say_otherwise(
    max_batch_items: int, max_items: int | None, max_bytes: int | None, expected: tuple[int, int]
) -> None:
    limits = buffer_limits(max_batch_items, max_items, max_bytes)
    assert (limits.max_items, limits.max_bytes) == expected
