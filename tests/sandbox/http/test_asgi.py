"""Sending and compression of answers whose body comes in pieces."""

import asyncio
import gzip
from itertools import repeat
from typing import Any

from sandbox.http.asgi import Message, send_response
from sandbox.http.messages import Response, gzip_of_blanks, gzipped

PIECES = [b"one ", b"two ", b"three"]


async def _no_message() -> Message:
    raise AssertionError


async def _no_hold(_: float) -> None:
    raise AssertionError


class _Transport:
    """The part of a connection's transport that is looked at."""

    def __init__(self) -> None:
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing


def _scope(transport: _Transport) -> Message:
    return {"state": {"transport": transport}}


async def test_endless_answer_ends_with_its_connection() -> None:
    transport = _Transport()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        transport.closing = len(sent) == 5

    await send_response(Response(status=200, body=repeat(b" ")), _scope(transport), _no_message, send, _no_hold)
    assert len(sent) == 5


async def test_others_have_their_turn_between_pieces() -> None:
    order: list[Any] = []

    async def send(message: Message) -> None:
        order.append(message.get("body"))

    async def other() -> None:
        order.append("other")

    other_client = asyncio.create_task(other())
    await send_response(Response(status=200, body=iter(PIECES)), _scope(_Transport()), _no_message, send, _no_hold)
    await other_client
    assert order.index("other") < order.index(b"two ")


def test_pieces_are_compressed_into_one_stream() -> None:
    answer = gzipped(Response(status=200, body=iter(PIECES)))
    assert gzip.decompress(b"".join(answer.body)) == b"one two three"  # type: ignore[arg-type]


def test_blanks_are_packed_a_thousandfold() -> None:
    packed = b"".join(gzip_of_blanks(20))
    assert len(packed) < 32 * 1024
    assert gzip.decompress(packed) == b" " * (20 * 2**20)
