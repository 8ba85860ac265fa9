"""A stand-in vendor whose calls are watched, and can be held, refused, lost, or be the last that a writer makes."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from math import inf

from sandbox.http.asgi import Message, Receive, Send, send_response
from sandbox.http.messages import Response, as_json
from sandbox.serving.admin import ADMIN
from sandbox.serving.app import App
from sandbox.vendor import Vendor


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Call:
    """One HTTP call at the vendor, read to its end."""

    def __init__(self, label: str, headers: dict[bytes, bytes], body: bytes) -> None:
        self.label = label
        """Method and path, such as ``POST /jobs``."""
        self.headers = headers
        self.body = body
        self.began_s = time.monotonic()
        self.ended_s = inf
        self.status: int | None = None
        """``None`` for one without an answer."""


Choice = Callable[[Call], bool]
Act = Callable[[Call], Awaitable[Response | None]]
"""Done before a call is applied or before it is answered: may wait, return another answer, or raise ``Dropped``."""


class Intervention:
    """Something that is done to the calls of a choice: not to the first ``skip``, and to at most ``times``."""

    def __init__(
        self, chosen: Choice, *, before: Act | None, after: Act | None, times: float = inf, skip: int = 0
    ) -> None:
        self._chosen = chosen
        self._before = before
        self._after = after
        self._times = times
        self._skip = skip
        self.met = 0
        """Calls of its choice so far."""
        self.acted: list[Call] = []

    def meets(self, call: Call) -> bool:
        """Return whether it acts on ``call``, which counts as one of its choice."""
        if not self._chosen(call):
            return False
        self.met += 1
        if self.met <= self._skip or len(self.acted) >= self._times:
            return False
        self.acted.append(call)
        return True

    async def before(self, call: Call) -> Response | None:
        """Act on a call that the vendor has not applied."""
        return await self._before(call) if self._before else None

    async def after(self, call: Call) -> Response | None:
        """Act on a call that the vendor has applied, before its answer leaves."""
        return await self._after(call) if self._after else None


class WatchedApp(App):
    """The stand-in, and everything that it was asked."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self.calls: list[Call] = []
        self._interventions: list[Intervention] = []

    def intervene(
        self,
        chosen: Choice,
        *,
        before: Act | None = None,
        after: Act | None = None,
        times: float = inf,
        skip: int = 0,
    ) -> Intervention:
        """Do something to the calls of a choice, until :meth:`leave_alone`."""
        intervention = Intervention(chosen, before=before, after=after, times=times, skip=skip)
        self._interventions.append(intervention)
        return intervention

    def leave_alone(self) -> None:
        """End all interventions."""
        self._interventions = []

    def most_at_once(self, chosen: Choice) -> int:
        """Return the most calls of a choice that were here at one moment."""
        spans = [(call.began_s, call.ended_s) for call in self.calls if chosen(call)]
        moments = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
        here = most = 0
        for _, change in moments:
            here += change
            most = max(most, here)
        return most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        path: str = scope["raw_path"].decode("latin-1")
        if path.startswith(ADMIN):
            await super().__call__(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        call = Call(f"{scope['method']} {path}", dict(scope["headers"]), body)
        self.calls.append(call)
        acting = [one for one in self._interventions if one.meets(call)]
        try:
            await self._answer(call, acting, scope, receive, send)
        except Dropped:
            scope["state"]["transport"].abort()
            while (await receive())["type"] != "http.disconnect":
                pass  # uvicorn reports an application that returns before
        finally:
            call.ended_s = time.monotonic()

    async def _answer(
        self, call: Call, acting: list[Intervention], scope: Message, receive: Receive, send: Send
    ) -> None:
        for one in acting:
            if (answer := await one.before(call)) is not None:
                call.status = answer.status
                await send_response(answer, scope, receive, send, self.hold)
                return
        others: list[Response] = []

        async def send_unless_replaced(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                for one in acting:
                    if (answer := await one.after(call)) is not None:
                        others.append(answer)
            if not others:
                await send(message)

        await super().__call__(scope, _replay(call.body, receive), send_unless_replaced)
        if others:
            call.status = others[0].status
            await send_response(others[0], scope, receive, send, self.hold)


def matching(pattern: str) -> Choice:
    """Choose calls whose label ``pattern`` matches as a whole."""
    compiled = re.compile(pattern)
    return lambda call: compiled.fullmatch(call.label) is not None


def answer(status: int, *, body: str = "", content_type: str | None = None, retry_after_s: int | None = None) -> Act:
    """Answer in the vendor's place."""
    headers = () if retry_after_s is None else (("retry-after", str(retry_after_s)),)

    async def act(_: Call) -> Response:
        return Response(status=status, body=body.encode(), content_type=content_type, headers=headers)

    return act


def echo(status: int) -> Act:
    """Answer in the vendor's place, with all that was sent, as pages for developers do."""

    async def act(call: Call) -> Response:
        sent = [f"{name.decode()}: {value.decode('latin-1')}" for name, value in call.headers.items()]
        return as_json({"message": "\n".join([call.label, *sent, "", call.body.decode("latin-1")])}, status=status)

    return act


async def drop(_: Call) -> Response | None:
    """Close the connection without an answer."""
    raise Dropped


def wait_s(seconds: float) -> Act:
    """Take so long."""

    async def act(_: Call) -> None:
        await asyncio.sleep(seconds)

    return act


class Gate:
    """A place where calls wait until it is opened."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self.waiting = 0

    def open(self) -> None:
        """Let all pass from now on."""
        self._opened.set()

    async def wait(self, _: Call) -> None:
        """Wait, as an act of an intervention."""
        self.waiting += 1
        await self._opened.wait()


async def _read(receive: Receive) -> bytes | None:
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message["body"])
        more = message["more_body"]
    return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that hands out ``body`` once, whether or not its client is still there."""
    messages: Iterator[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        return next(messages, None) or await receive()

    return replay
