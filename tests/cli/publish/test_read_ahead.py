"""Reading ahead in a thread."""

import asyncio
from collections.abc import Iterator

import pytest

from sluice.cli.publish.read_ahead import MAX_AHEAD, reading_ahead


async def test_every_row_comes_once_and_in_order() -> None:
    async with reading_ahead(iter(range(3 * MAX_AHEAD))) as feed:
        assert [row async for chunk in feed for row in chunk] == list(range(3 * MAX_AHEAD))


async def test_error_comes_after_what_was_read_before_it() -> None:
    def rows() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("broken")

    async with reading_ahead(rows()) as feed:
        chunks = aiter(feed)
        read: list[int] = []
        while len(read) < 2:
            read += await anext(chunks)
        with pytest.raises(LookupError, match="broken"):
            await anext(chunks)
    assert read == [1, 2]


async def test_no_more_is_read_than_there_is_room_for() -> None:
    counted = 0
    full = asyncio.Event()
    loop = asyncio.get_running_loop()

    def rows() -> Iterator[int]:
        nonlocal counted
        while True:
            counted += 1
            if counted == MAX_AHEAD + 1:
                loop.call_soon_threadsafe(full.set)
            yield counted

    async with reading_ahead(rows()):
        await full.wait()
        # One more row has been made and waits for its place.
        assert counted == MAX_AHEAD + 1
