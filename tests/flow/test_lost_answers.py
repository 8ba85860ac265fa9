"""LostAnswers: an item is blamed only when it stands alone and others are answered."""

import pytest

from sluice.flow.lost_answers import MAX_IN_A_ROW, LostAnswers
from tests.support.factories import make_items


def _lose(put_back_at: int | None, *answered: int) -> LostAnswers:
    losses = LostAnswers(put_back_at)
    for one in answered:
        losses.add(one)
    return losses


def test_others_have_their_turn_after_some_losses_in_a_row_and_then_after_each() -> None:
    assert not _lose(None, *[0] * (MAX_IN_A_ROW - 1)).enough
    assert _lose(None, *[0] * MAX_IN_A_ROW).enough
    assert _lose(0, 0).enough


@pytest.mark.parametrize(
    ("items", "put_back_at", "answered", "blamed"),
    [
        pytest.param(1, None, [7] * 5, False, id="no other is answered"),
        pytest.param(1, None, [6, 7, 7, 7, 7], False, id="others were answered, before the outage"),
        pytest.param(1, 7, [8], True, id="another was answered meanwhile"),
        pytest.param(1, 7, [7], False, id="none was answered since it was put back"),
        pytest.param(2, 7, [8], False, id="it does not stand alone"),
    ],
)
def test_item_is_blamed(items: int, put_back_at: int | None, answered: list[int], blamed: bool) -> None:
    assert _lose(put_back_at, *answered).blames(make_items(items)) is blamed


@pytest.mark.parametrize(
    ("items", "put_back_at", "answered", "sizes"),
    [
        pytest.param(5, None, [0] * 5, [2, 3], id="halved the first time"),
        pytest.param(5, 0, [0], [5], id="not again in an outage"),
        pytest.param(5, 0, [1], [2, 3], id="again while others are answered"),
        pytest.param(1, None, [0] * 5, [1], id="one is never halved"),
    ],
)
def test_items_are_put_back(items: int, put_back_at: int | None, answered: list[int], sizes: list[int]) -> None:
    parts = _lose(put_back_at, *answered).parts(make_items(items))
    assert [len(part.items) for part in parts] == sizes
    assert {part.answered_at_loss for part in parts} == {answered[-1]}
