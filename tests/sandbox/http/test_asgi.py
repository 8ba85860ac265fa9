"""Sending and compression of answers whose body comes in pieces."""

import asyncio
import gzip
from typing import Any

from sandbox.http.asgi import Message, send_response
from sandbox.http.messages import Response, gzipped

PIECES = [b"one ", b"two ", b"three"]


async def _no_message() -> Message:
    raise AssertionError


async def test_others_have_their_turn_between_pieces() -> None:
    order: list[Any] = []

    async def send(message: Message) -> None:
        order.append(message.get("body"))

    async def other() -> None:
        order.append("other")

    other_client = asyncio.create_task(other())
    await send_response(Response(status=200, body=iter(PIECES)), {}, _no_message, send)
    await other_client
    assert order.index("other") < order.index(b"two ")


def test_pieces_are_compressed_into_one_stream() -> None:
    answer = gzipped(Response(status=200, body=iter(PIECES)))
    assert gzip.decompress(b"".join(answer.body)) == b"one two three"  # type: ignore[arg-type]
