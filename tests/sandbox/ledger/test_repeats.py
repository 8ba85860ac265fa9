"""Laws of repeats, for any identifiers."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sandbox.ledger.repeats import find_repeats


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d", "\x00", "é"]), st.booleans())))
def test_repeats_are_exact(entries: list[tuple[str, bool]]) -> None:
    received = Counter(identifier for identifier, _ in entries)
    changed = Counter(identifier for identifier, did in entries if did)
    found = find_repeats(lambda: iter(entries))
    assert found.received_more_than_once == sum(times > 1 for times in received.values())
    assert found.changed_more_than_once == sum(times > 1 for times in changed.values())
