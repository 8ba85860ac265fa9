"""KeyHashes: the same as a plain set, and small."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.flow.key_hashes import BUCKETS, KeyHashes, decode_hashes, encode_hashes, hash_of
from tests.support.memory import held_bytes

HASH = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 3).map(lambda number: number * BUCKETS))
"""Some share a bucket."""


@given(st.lists(st.tuples(st.booleans(), HASH), max_size=30))
def test_hashes_are_those_of_a_plain_set(changes: list[tuple[bool, int]]) -> None:
    hashes, plain = KeyHashes(), set[int]()
    for added, one in changes:
        (hashes.add if added else hashes.discard)(one)
        (plain.add if added else plain.discard)(one)
        assert (len(hashes), one in hashes) == (len(plain), one in plain)


@given(st.lists(HASH, max_size=20))
def test_hashes_come_back_from_their_text(hashes: list[int]) -> None:
    assert list(decode_hashes(encode_hashes(hashes))) == hashes


def test_keys_have_hashes_of_their_own() -> None:
    assert len({hash_of(f"key-{number}".encode()) for number in range(10_000)}) == 10_000


def test_a_hash_among_many_takes_few_bytes() -> None:
    def hold() -> KeyHashes:
        hashes = KeyHashes()
        for number in range(100_000):
            hashes.add(hash_of(str(number).encode()))
        return hashes

    assert held_bytes(hold)[1] < 100_000 * 24
