"""The order of a listing, whose values may change."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.blueconic.listing_order import START, ListingOrder

CHANGES = st.lists(st.tuples(st.sampled_from("abcdef"), st.one_of(st.none(), st.integers(0, 5))))


@given(changes=CHANGES, count=st.integers(1, 4))
def test_pages_hold_every_id_once_in_the_order_of_its_last_value(
    changes: list[tuple[str, int | None]], count: int
) -> None:
    order, expected = ListingOrder(), dict[str, int]()
    for name, value in changes:
        if value is None:
            order.remove(name)
            expected.pop(name, None)
        else:
            order.put(name, value)
            expected[name] = value
    listed, place = [], START
    while page := order.after(place, count):
        listed += page
        place = page[-1]
    assert listed == sorted((value, name) for name, value in expected.items())
    assert len(order) == len(expected)
