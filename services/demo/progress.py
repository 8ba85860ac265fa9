"""The progress of several writers that come and go: receipts are read from Kafka, the rest is asked of the writers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx

from demo.environment import Environment
from demo.figures import Figures, read_figures, sum_of
from demo.live_view import LiveView
from demo.processes import DESTINATION, DemoFailed, Writer
from demo.upstream import Upstream
from sluice import DeadLetter, outcomes

_POLL_S = 0.2
_STALLED_AFTER_S = 90.0
_NEVER = -1
"""A number of receipts that is never reached: a story of several acts has several ends."""


class Progress:
    """Watches the writers in ``writers``, a list that may change, and shows what they do."""

    def __init__(self, environment: Environment, view: LiveView) -> None:
        self.writers: list[Writer] = []
        self.figures = sum_of([])
        self.by_commands = 0
        """Records that ``sluice`` commands have published."""
        self.upstreams: list[Upstream] = []
        """The systems that publish with the library."""
        self.receipts: Counter[str] = Counter()
        """Receipts by object."""
        self.record_ids: dict[str, str] = {}
        """The vendor's ids of delivered records, by the ids of their events."""
        self._codes: Counter[str] = Counter()
        self._dead_letters = 0
        self._environment = environment
        self._view = view
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def published(self) -> int:
        """Records that are in Kafka, by the count of all upstream systems."""
        return self.by_commands + sum(upstream.published for upstream in self.upstreams)

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._count()), asyncio.create_task(self._ask())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, is_so: Callable[[Figures], bool], awaited: str) -> None:
        """Wait until ``is_so``. Raises :class:`DemoFailed` when that takes too long; ``awaited`` says what was."""
        try:
            async with asyncio.timeout(_STALLED_AFTER_S):
                while not is_so(self.figures):
                    await self._next()
        except TimeoutError:
            raise DemoFailed(f"waited {_STALLED_AFTER_S:.0f} s in vain for {awaited}; now: {self.figures}") from None

    async def _next(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
        for writer in self.writers:
            writer.check_alive()
        await asyncio.sleep(_POLL_S / 2)

    async def _count(self) -> None:
        """Count receipts as they come."""
        async for receipt in outcomes(DESTINATION, self._environment.config, since="beginning"):
            self.receipts["" if receipt.event is None else receipt.event.object] += 1
            if isinstance(receipt, DeadLetter):
                self._dead_letters += 1
            else:
                self._codes[receipt.event.status] += 1
                if receipt.event.record_id is not None:
                    self.record_ids[receipt.event.event_id] = receipt.event.record_id

    async def _ask(self) -> None:
        """Ask all writers several times a second, and show the answers."""
        async with httpx.AsyncClient(trust_env=False) as http:
            while True:
                asked = []
                for writer in list(self.writers):
                    with suppress(httpx.HTTPError):  # it is busy, or has just ended
                        asked.append(await read_figures(http, writer.url))
                self.figures = sum_of(asked)._replace(
                    receipts=self.receipts.total(), by_code=dict(self._codes), dead_letters=self._dead_letters
                )
                self._view.update(self.figures, self.published, expected=_NEVER)
                await asyncio.sleep(_POLL_S)
