"""Tokens of every vendor: expired by the clock, limited in number."""

from sandbox.clock import Clock
from sandbox.token_table import TokenTable


def test_a_token_lives_as_long_as_it_was_issued_for() -> None:
    clock = Clock()
    tokens = TokenTable[str](clock)
    short, endless = tokens.issue("short", 100), tokens.issue("endless")
    clock.advance(90)
    assert tokens.find(short) == "short"
    clock.advance(10)
    assert (tokens.find(short), tokens.find(endless)) == (None, "endless")


def test_a_token_issued_under_its_own_name_is_renewed() -> None:
    clock = Clock()
    tokens = TokenTable[str](clock)
    tokens.issue("first", 100, name="t")
    clock.advance(90)
    tokens.issue("again", 100, name="t")
    clock.advance(90)
    assert (tokens.find("t"), len(tokens)) == ("again", 1)


def test_a_token_is_taken_once() -> None:
    tokens = TokenTable[str](Clock())
    name = tokens.issue("code")
    assert (tokens.take(name), tokens.take(name), tokens.find(name)) == ("code", None, None)


def test_past_the_bound_the_oldest_dies() -> None:
    tokens = TokenTable[int](Clock(), max_tokens=2)
    names = [tokens.issue(number) for number in range(3)]
    assert [tokens.find(name) for name in names] == [None, 1, 2]


def test_ending_all_counts_those_alive() -> None:
    clock = Clock()
    tokens = TokenTable[str](clock)
    for lifetime_s in (10, 100, 1000):
        tokens.issue("t", lifetime_s)
    clock.advance(50)
    assert (tokens.end_all(), len(tokens)) == (2, 0)
