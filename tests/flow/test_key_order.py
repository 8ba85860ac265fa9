"""Order: one item in flight per key, followers in their order, parked keys."""

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sluice.flow.batch import Item
from sluice.flow.key_hashes import hash_of
from sluice.flow.key_order import PARKED_KEY_BYTES, KeyOrder, OrderTerms
from tests.support.factories import make_item

KEYS = ("a", "b", "c")
TERMS = OrderTerms(max_items=100, max_bytes=1_000_000)


def _offsets(items: Sequence[Item]) -> list[int]:
    return [item.offset for item in items]


@pytest.fixture
def order() -> KeyOrder:
    return KeyOrder(TERMS)


def test_second_item_of_a_key_waits_for_the_first(order: KeyOrder) -> None:
    first, second = make_item(0, key="k"), make_item(1, key="k")
    assert order.admit([first, second]) == ([first], [first, second])
    assert order.waiting == 1
    assert order.release([b"k"]) == [second]
    assert order.waiting == 0


def test_key_without_followers_is_free_again(order: KeyOrder) -> None:
    order.admit([make_item(0, key="k")])
    assert order.release([b"k"]) == []
    assert _offsets(order.admit([make_item(1, key="k")]).runnable) == [1]


def test_other_keys_go_on(order: KeyOrder) -> None:
    assert _offsets(order.admit([make_item(0, key="a"), make_item(1, key="a"), make_item(2, key="b")]).runnable) == [
        0,
        2,
    ]


def test_parked_key_holds_its_followers_until_it_is_released(order: KeyOrder) -> None:
    order.park([b"k"])
    assert order.admit([make_item(0, key="k"), make_item(1, key="k")]).runnable == []
    assert _offsets(order.release([b"k"])) == [0]
    assert order.waiting == 1


def test_key_parked_twice_is_parked_once(order: KeyOrder) -> None:
    order.park([b"k", b"k"])
    order.release([b"k"])
    assert _offsets(order.admit([make_item(0, key="k")]).runnable) == [0]


def test_releasing_a_key_that_is_free_does_nothing(order: KeyOrder) -> None:
    assert order.release([b"unknown"]) == []
    assert order.waiting == 0


def test_without_order_all_are_let_through() -> None:
    order = KeyOrder(OrderTerms(ordered=False, max_items=1, max_bytes=1))
    order.park([b"k"])
    assert _offsets(order.admit([make_item(0, key="k"), make_item(1, key="k")]).runnable) == [0, 1]
    assert order.release([b"k"]) == []
    assert order.waiting == 0


def _admit(order: KeyOrder, keys: str, *, first: int = 0) -> list[int]:
    """Admit an item of each key, a letter each; return the offsets of those that were deferred."""
    items = [make_item(first + n, key=key) for n, key in enumerate(keys)]
    kept = order.admit(items).kept
    return [item.offset for item in items if item not in kept]


@pytest.mark.parametrize(
    ("keys", "deferred"),
    [
        pytest.param("a" * 9, [5, 6, 7, 8], id="alone a key takes half of the room"),
        pytest.param("a" * 9 + "bbbb", [5, 6, 7, 8, 12], id="the next key half of what is left"),
        pytest.param("a" * 9 + "bbbb" + "ccc", [5, 6, 7, 8, 12, 15], id="there is room for the third"),
    ],
)
def test_followers_are_left_in_kafka_when_their_key_has_taken_its_share(keys: str, deferred: list[int]) -> None:
    order = KeyOrder(OrderTerms(max_items=8, max_bytes=1_000_000))
    assert _admit(order, keys) == deferred


def test_followers_are_left_in_kafka_when_they_are_too_large() -> None:
    size_bytes = make_item(0, key="a").held_bytes
    order = KeyOrder(OrderTerms(max_items=100, max_bytes=3 * size_bytes))
    assert _admit(order, "aaaaabb") == [4, 6]


def test_later_item_of_a_key_that_has_left_some_is_left_too_although_there_is_room() -> None:
    order = KeyOrder(OrderTerms(max_items=2, max_bytes=1_000_000))
    assert _admit(order, "aaa") == [2]
    order.release([b"a"])
    assert _admit(order, "a", first=3) == [3]


def test_key_asks_for_what_it_has_left_when_few_are_in_memory() -> None:
    order = KeyOrder(OrderTerms(max_items=16, max_bytes=1_000_000))
    _admit(order, "a" * 20)
    asked = []
    for _ in range(8):
        order.release([b"a"])
        asked.append(bool(order.deferred.hungry))
    assert asked == [False] * 4 + [True] * 4


def test_key_without_any_in_memory_gets_its_next_however_full_memory_is() -> None:
    order = KeyOrder(OrderTerms(max_items=1, max_bytes=1_000_000))
    assert _admit(order, "aabbb") == [3, 4]
    assert order.release([b"b"]) == []
    again = order.readmit([make_item(3, key="b"), make_item(4, key="b")], range(5))
    assert (_offsets(again.runnable), _offsets(again.kept)) == ([3], [3])


def test_key_is_free_when_what_it_left_is_gone_from_kafka() -> None:
    order = KeyOrder(OrderTerms(max_items=1, max_bytes=1_000_000))
    _admit(order, "aabb")
    order.release([b"b"])
    assert order.readmit([], range(3, 4)).runnable == []
    assert _offsets(order.admit([make_item(5, key="b")]).runnable) == [5]


def test_parked_keys_are_counted_until_they_are_free() -> None:
    order = KeyOrder(OrderTerms(max_items=1, max_bytes=2 * PARKED_KEY_BYTES))
    _admit(order, "a")
    order.park([b"a", b"b"])
    order.park([b"b"])
    assert (order.parked_bytes, order.crowded, order.busy) == (2 * (PARKED_KEY_BYTES + 1), True, 2)
    order.release([b"a"])
    assert (order.parked_bytes, order.crowded, order.busy) == (PARKED_KEY_BYTES + 1, False, 1)


class OneInFlightPerKey(RuleBasedStateMachine):
    """Any interleaving of admitting, releasing and reading again, with keys parked from the start and little room."""

    def __init__(self) -> None:
        super().__init__()
        self.order = KeyOrder(OrderTerms(max_items=4, max_bytes=1_000_000))
        self.order.park([KEYS[0].encode()])
        self.kafka: list[Item] = []
        self.in_flight: dict[str, Item | None] = {KEYS[0]: None}
        self.let_through: dict[str, list[int]] = defaultdict(list)

    @rule(keys=st.lists(st.sampled_from(KEYS), max_size=8))
    def admit(self, keys: list[str]) -> None:
        items = [make_item(len(self.kafka) + number, key=key) for number, key in enumerate(keys)]
        self.kafka += items
        self._start(self.order.admit(items).runnable)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self._release(data.draw(st.lists(st.sampled_from(sorted(self.in_flight)), min_size=1, unique=True)))

    @precondition(lambda self: self.order.deferred.hungry)
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        [first, *_], [*_, last] = self.order.deferred.wanted(), self.order.deferred.wanted()
        for start in range(first.start, last.stop, step := data.draw(st.integers(1, 20))):
            if (
                start > first.start
                and data.draw(st.booleans(), label="meanwhile an item is settled")
                and self.in_flight
            ):
                self._release([data.draw(st.sampled_from(sorted(self.in_flight)))])
            self._read(range(start, min(start + step, last.stop)))
            if data.draw(st.booleans(), label="it ends early"):
                break

    def teardown(self) -> None:
        """Settle everything: every item must come."""
        while self.in_flight or self.order.deferred.hungry:
            self._release(sorted(self.in_flight))
            for stretch in self.order.deferred.wanted():
                self._read(stretch)
        assert {key: offsets for key, offsets in self.let_through.items() if offsets} == self._published()
        assert (self.order.busy, self.order.waiting, len(self.order.deferred.offsets)) == (0, 0, 0)

    def _published(self) -> dict[str, list[int]]:
        published: dict[str, list[int]] = defaultdict(list)
        for item in self.kafka:
            published[item.order_key.decode()].append(item.offset)
        return published

    def _read(self, looked_at: range) -> None:
        deferred = self.order.deferred.offsets
        self._start(
            self.order.readmit(
                [one for one in self.kafka if one.offset in looked_at and one.offset in deferred], looked_at
            ).runnable
        )

    def _release(self, keys: list[str]) -> None:
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
        published = self._published()
        for key, offsets in self.let_through.items():
            assert offsets == published[key][: len(offsets)]

    @invariant()
    def memory_is_bounded_and_what_waits_elsewhere_is_known(self) -> None:
        let_through = sum(map(len, self.let_through.values()))
        assert self.order.waiting <= 4
        assert let_through + self.order.waiting + len(self.order.deferred.offsets) == len(self.kafka)

    @invariant()
    def nothing_waits_for_a_free_key(self) -> None:
        for key, offsets in self._published().items():
            if len(offsets) > len(self.let_through[key]):
                assert key in self.in_flight or key.encode() in self.order.deferred.hungry


OneInFlightPerKey.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestOneInFlightPerKey = OneInFlightPerKey.TestCase


def test_key_with_the_vendor_is_busy_until_its_item_is_settled(order: KeyOrder) -> None:
    order.admit([make_item(0, key="k")])
    order.hand_over([b"k"], [hash_of(b"k")])
    assert order.admit([make_item(1, key="k"), make_item(2, key="k")]).runnable == []
    assert order.busy == 2  # its followers, and its item
    assert _offsets(order.release([b"k"])) == [1]
    assert _offsets(order.release([b"k"])) == [2]
    assert order.release([b"k"]) == []
    assert order.busy == 0


def test_followers_that_were_there_before_wait_on(order: KeyOrder) -> None:
    order.admit([make_item(0, key="k"), make_item(1, key="k")])
    order.hand_over([b"k"], [hash_of(b"k")])
    assert _offsets(order.release([b"k"])) == [1]


def test_key_found_with_the_vendor_is_busy(order: KeyOrder) -> None:
    order.found_with_vendor([hash_of(b"k")])
    assert _offsets(order.admit([make_item(5, key="k"), make_item(6, key="other")]).runnable) == [6]
    assert _offsets(order.release([b"k"])) == [5]


def test_key_whose_item_left_the_vendor_is_free_unless_others_wait_for_it(order: KeyOrder) -> None:
    order.found_with_vendor([hash_of(b"k"), hash_of(b"l")])
    order.admit([make_item(5, key="l")])
    assert order.forget_with_vendor([hash_of(b"k"), hash_of(b"l")]) == [b"l"]
    assert _offsets(order.admit([make_item(6, key="k")]).runnable) == [6]
    assert _offsets(order.release([b"l"])) == [5]


def test_followers_of_a_key_with_the_vendor_that_are_left_in_kafka_are_read_again() -> None:
    order = KeyOrder(OrderTerms(max_items=1, max_bytes=1_000_000))
    first, second, third = (make_item(offset, key="k") for offset in range(3))
    order.admit([first])
    order.hand_over([b"k"], [hash_of(b"k")])
    assert order.admit([second, third]).kept == [second]
    assert order.release([b"k"]) == [second]
    assert order.readmit([third], range(2, 3)).kept == [third]
    assert order.release([b"k"]) == [third]


def test_without_an_order_a_key_with_the_vendor_holds_nobody_back() -> None:
    order = KeyOrder(OrderTerms(ordered=False, max_items=1, max_bytes=1))
    order.hand_over([b"k"], [hash_of(b"k")])
    order.found_with_vendor([hash_of(b"k")])
    assert _offsets(order.admit([make_item(1, key="k")]).runnable) == [1]
