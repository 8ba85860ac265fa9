"""Order: one item in flight per key, followers in their order, parked keys."""

from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sluice.flow.batch import Item
from sluice.flow.key_order import KeyOrder
from tests.support.factories import make_item

KEYS = ("a", "b", "c")


def _offsets(items: list[Item]) -> list[int]:
    return [item.offset for item in items]


@pytest.fixture
def order() -> KeyOrder:
    return KeyOrder(ordered=True)


def test_second_item_of_a_key_waits_for_the_first(order: KeyOrder) -> None:
    first, second = make_item(0, key="k"), make_item(1, key="k")
    assert order.admit([first, second]) == [first]
    assert order.waiting == 1
    assert order.release([b"k"]) == [second]
    assert order.waiting == 0


def test_key_without_followers_is_free_again(order: KeyOrder) -> None:
    order.admit([make_item(0, key="k")])
    assert order.release([b"k"]) == []
    assert _offsets(order.admit([make_item(1, key="k")])) == [1]


def test_other_keys_go_on(order: KeyOrder) -> None:
    assert _offsets(order.admit([make_item(0, key="a"), make_item(1, key="a"), make_item(2, key="b")])) == [0, 2]


def test_parked_key_holds_its_followers_until_it_is_released(order: KeyOrder) -> None:
    order.park([b"k"])
    assert order.admit([make_item(0, key="k"), make_item(1, key="k")]) == []
    assert _offsets(order.release([b"k"])) == [0]
    assert order.waiting == 1


def test_key_parked_twice_is_parked_once(order: KeyOrder) -> None:
    order.park([b"k", b"k"])
    order.release([b"k"])
    assert _offsets(order.admit([make_item(0, key="k")])) == [0]


def test_releasing_a_key_that_is_free_does_nothing(order: KeyOrder) -> None:
    assert order.release([b"unknown"]) == []
    assert order.waiting == 0


def test_without_order_all_are_let_through() -> None:
    order = KeyOrder(ordered=False)
    order.park([b"k"])
    assert _offsets(order.admit([make_item(0, key="k"), make_item(1, key="k")])) == [0, 1]
    assert order.release([b"k"]) == []
    assert order.waiting == 0


class OneInFlightPerKey(RuleBasedStateMachine):
    """Any interleaving of admitting, releasing and keys parked from the start."""

    def __init__(self) -> None:
        super().__init__()
        self.order = KeyOrder(ordered=True)
        self.order.park([KEYS[0].encode()])
        self.in_flight: dict[str, Item | None] = {KEYS[0]: None}
        self.admitted: dict[str, list[int]] = defaultdict(list)
        self.let_through: dict[str, list[int]] = defaultdict(list)
        self.next_offset = 0

    @rule(keys=st.lists(st.sampled_from(KEYS), max_size=6))
    def admit(self, keys: list[str]) -> None:
        items = []
        for key in keys:
            items.append(make_item(self.next_offset, key=key))
            self.admitted[key].append(self.next_offset)
            self.next_offset += 1
        self._start(self.order.admit(items))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.sampled_from(sorted(self.in_flight)), min_size=1, unique=True))
        for key in keys:
            del self.in_flight[key]
        self._start(self.order.release([key.encode() for key in keys]))

    def _start(self, items: list[Item]) -> None:
        for item in items:
            key = item.order_key.decode()
            assert key not in self.in_flight, "two items of one key are in flight"
            self.in_flight[key] = item
            self.let_through[key].append(item.offset)

    @invariant()
    def order_of_each_key_is_kept(self) -> None:
        for key, offsets in self.let_through.items():
            assert offsets == self.admitted[key][: len(offsets)]

    @invariant()
    def nothing_waits_for_a_free_key(self) -> None:
        waiting = {key: len(offsets) - len(self.let_through[key]) for key, offsets in self.admitted.items()}
        assert self.order.waiting == sum(waiting.values())
        assert all(key in self.in_flight for key, count in waiting.items() if count)


OneInFlightPerKey.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOneInFlightPerKey = OneInFlightPerKey.TestCase
