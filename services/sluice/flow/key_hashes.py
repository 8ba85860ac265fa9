"""Hashes of ordering keys: a key whose item is with the vendor stays busy at 10 bytes, where the key itself takes 200.

A hash has 64 bits: among a million keys two are the same once in 30 million times, and then one waits for the other.
"""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import blake2b

BUCKETS = 8192
"""Among a million hashes a bucket has 120, which are compared one by one in about 1 µs."""


def hash_of(key: bytes) -> int:
    """Return the hash of an ordering key, from 0 to 2**64 - 1."""
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "little")


def encode_hashes(hashes: Iterable[int]) -> str:
    """Return ``hashes`` as text for the journal."""
    return b64encode(_little(array("Q", hashes)).tobytes()).decode()


def decode_hashes(text: str) -> "array[int]":
    """Return the hashes in a text of the journal; as many as it has whole, and none where it is no such text."""
    try:
        packed = b64decode(text)
    except ValueError:
        return array("Q")
    return _little(array("Q", packed[: len(packed) // 8 * 8]))


def _little(hashes: "array[int]") -> "array[int]":
    """Return ``hashes`` with the least byte first, as the journal has them, or from there."""
    if sys.byteorder == "big":
        hashes.byteswap()
    return hashes


class KeyHashes:
    """A set of hashes."""

    __slots__ = ("_buckets", "_count")

    def __init__(self) -> None:
        self._buckets: dict[int, array[int]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, one: int) -> bool:
        bucket = self._buckets.get(one % BUCKETS)
        return bucket is not None and one in bucket

    def add(self, one: int) -> None:
        """Add a hash, if it is not here."""
        bucket = self._buckets.setdefault(one % BUCKETS, array("Q"))
        if one not in bucket:
            bucket.append(one)
            self._count += 1

    def discard(self, one: int) -> None:
        """Take a hash out, if it is here."""
        bucket = self._buckets.get(one % BUCKETS)
        if bucket is None or one not in bucket:
            return
        bucket.remove(one)
        self._count -= 1
        if not bucket:
            del self._buckets[one % BUCKETS]
