"""Answers that come piece by piece."""

from collections.abc import AsyncIterator


async def pieces_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    """Yield ``body`` in pieces of ``size`` bytes."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
