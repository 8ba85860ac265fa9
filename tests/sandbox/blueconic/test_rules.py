"""Laws of property rules for any values. blueconic.md §3: only ``INCREMENT`` is not idempotent."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.blueconic.rules import PropertyRules, Rule

VALUES = st.lists(st.sampled_from(["a", "b", "1", "2.5", ""]), max_size=4)
IDEMPOTENT = st.sampled_from(["SET", "ADD", "SET_IF_EMPTY", "REMOVE"])


@given(before=VALUES, values=VALUES, strategy=IDEMPOTENT)
def test_an_idempotent_rule_changes_nothing_a_second_time(before: list[str], values: list[str], strategy: str) -> None:
    stored = {"p": before} if before else {}
    rules = [Rule(id="p", values=values, strategy=strategy)]  # type: ignore[arg-type]
    PropertyRules(None).apply(rules, stored)
    once = dict(stored)
    again = PropertyRules(None).apply(rules, stored)
    assert (again.changed, stored) == (False, once)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1))
def test_increments_add_up(numbers: list[int]) -> None:
    stored: dict[str, list[str]] = {}
    PropertyRules(None).apply([Rule(id="p", values=[str(one)], strategy="INCREMENT") for one in numbers], stored)
    assert int(stored.get("p", ["0"])[0]) == sum(numbers)


@given(before=VALUES, values=VALUES, strategy=IDEMPOTENT | st.just("INCREMENT"))
def test_what_changed_is_what_differs(before: list[str], values: list[str], strategy: str) -> None:
    stored = {"p": before} if before else {}
    rules = [Rule(id="p", values=values, strategy=strategy)]  # type: ignore[arg-type]
    applied = PropertyRules(None).apply(rules, stored)
    assert applied.changed == (stored.get("p", []) != before)
