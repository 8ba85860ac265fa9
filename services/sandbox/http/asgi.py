"""Reading a request from ASGI, and sending a response, or dropping the connection without one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.http.messages import Request, Response

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Hold = Callable[[float], Awaitable[None]]
_GARBAGE = b"\x15\x03\x01\x00\x02\x02\x16 no HTTP at all\r\n\r\n"


async def read(
    scope: Message, params: dict[str, str], receive: Receive, *, number: int, max_body_bytes: int | None = None
) -> Request | None:
    """Read a request to its end; null when the client leaves before. Drop the body past ``max_body_bytes``."""
    pieces: list[bytes] = []
    kept_bytes = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if max_body_bytes is None or kept_bytes < max_body_bytes:
            pieces.append(message["body"])
            kept_bytes += len(message["body"])
        more = message["more_body"]
    return Request(
        number=number,
        method=scope["method"],
        path=scope["path"],
        params=params,
        query_string=scope["query_string"],
        headers=dict(scope["headers"]),
        body=b"".join(pieces),
    )


async def send_response(response: Response, scope: Message, receive: Receive, send: Send, hold: Hold) -> None:
    """Send the response as its ``delivery`` says. ``hold`` waits by the sandbox's clock."""
    match response.delivery:
        case "whole" if isinstance(response.body, bytes):
            await _start(response, len(response.body), send)
            await send({"type": "http.response.body", "body": response.body})
        case "whole":
            await _start(response, None, send)
            for piece in response.body:
                if scope["state"]["transport"].is_closing():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)  # uvicorn waits for slow readers only: let other tasks run between pieces
            await send({"type": "http.response.body", "body": b""})
        case "dropped":
            scope["state"]["transport"].abort()
            await _until_closed(receive)
        case "garbage":
            scope["state"]["transport"].write(_GARBAGE)
            scope["state"]["transport"].close()
            await _until_closed(receive)
        case _:
            await _send_half(response, scope, receive, send, hold)


async def _send_half(response: Response, scope: Message, receive: Receive, send: Send, hold: Hold) -> None:
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    half = body[: len(body) // 2]
    if response.delivery == "cut_complete":
        await _start(response, len(half), send)
        await send({"type": "http.response.body", "body": half})
        return
    await _start(response, len(body) if response.delivery == "cut_length" else None, send)
    await send({"type": "http.response.body", "body": half, "more_body": True})
    if response.pause_s:
        await hold(response.pause_s)
    scope["state"]["transport"].close()
    await _until_closed(receive)


async def _start(response: Response, content_length: int | None, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.content_type is not None:
        headers.append((b"content-type", response.content_type.encode("latin-1")))
    if content_length is not None:
        headers.append((b"content-length", str(content_length).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})


async def _until_closed(receive: Receive) -> None:
    # uvicorn reports an application that returns before the connection is closed as one that failed to answer.
    while (await receive())["type"] != "http.disconnect":
        pass
