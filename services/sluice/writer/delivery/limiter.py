"""Limits how fast one process sends to one destination: a gate, then a token bucket, then adaptive concurrency.

The gate is shut while the vendor is unavailable. It opens after a back-off with full jitter that doubles with each
failure in a row, and not before what the vendor asked for in ``Retry-After``; then one request at a time probes until
one succeeds. Concurrency grows by one per round of successes and halves on 429, 503 and timeouts, and on nothing
else: a refused record says nothing about load.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from sluice.flow.retry_policy import backoff_s


class LimiterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the traffic."""

    max_concurrent: int
    requests_per_s: float | None
    backoff_base_s: float
    backoff_cap_s: float
    misconfigured_after_s: float
    """Time for which refused requests count as an outage once one was answered."""


class Limiter:
    """Hands out permits, each for one request. Each one acquired is released exactly once."""

    def __init__(
        self, settings: LimiterSettings, *, monotonic: Callable[[], float], uniform: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._uniform = uniform
        self._allowed = float(settings.max_concurrent)
        self._opens_at_s = 0.0
        self._next_token_at_s = 0.0
        self._same_round = 0  # permits that were out at the first failure of a round, and still are
        self._decreased = False  # in this round
        self._changed = asyncio.Event()
        self._queue: deque[asyncio.Future[None]] = deque()
        """Who waits for a permit, in turn. The first one watches, the others sleep until they are first: a vendor that
        takes one record a call has hundreds."""
        self.failures = 0
        """Requests in a row that found the vendor unavailable."""
        self.held_because: str | None = None
        """The reason of the last of them, as a short fixed word; ``None`` while all is well."""
        self._refused_since_s = 0.0
        self._refusal: str | None = None
        self.in_flight = 0
        self.answered = 0
        """Requests that the vendor has answered, whatever it said of their items."""

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now: one while the vendor is being probed."""
        return 1 if self.failures else int(self._allowed)

    @property
    def held_for_s(self) -> float:
        """Seconds until the gate opens; 0 while it is open."""
        return max(0.0, self._opens_at_s - self._monotonic())

    async def ready(self) -> None:
        """Wait until :meth:`try_acquire` may succeed."""
        while (wait_s := self._wait_s()) > 0 or self._queue or self.in_flight >= self.allowed:
            await self._change(wait_s)

    def try_acquire(self) -> bool:
        """Take a permit if one is to be had now and nobody waits for it."""
        if self._wait_s() > 0 or self._queue or self.in_flight >= self.allowed:
            return False
        self._take()
        return True

    async def acquire(self) -> None:
        """Wait for a permit and take it: first come, first served, and before whoever only tries.

        What is sent again waits here; a new batch must not overtake it when an outage ends.
        """
        if self.try_acquire():
            return
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(first)
        try:
            if self._queue[0] is not first:
                await first
            while (wait_s := self._wait_s()) > 0 or self.in_flight >= self.allowed:
                await self._change(wait_s)
            self._take()
        finally:
            self._queue.remove(first)
            if self._queue and not self._queue[0].done():
                self._queue[0].set_result(None)
            self._changed.set()

    def succeeded(self) -> None:
        """Release a permit whose request was answered."""
        self.failures = 0
        self.held_because = self._refusal = None
        self.answered += 1
        self._allowed = min(self._settings.max_concurrent, self._allowed + 1 / self._allowed)
        self.release()

    def failed(self, retry_after_s: float | None, *, overloaded: bool) -> float:
        """Release a permit whose request found the vendor unavailable; seconds for which the gate is shut.

        ``overloaded``: the vendor said that it was too much, or did not answer in time.
        """
        # Requests that were in flight together fail together: one cause, one failure, one decrease.
        if not self._same_round:
            self.failures += 1
            self._same_round, self._decreased = self.in_flight, False
        now_s = self._monotonic()
        settings = self._settings
        delay_s = backoff_s(
            self.failures, base_s=settings.backoff_base_s, cap_s=settings.backoff_cap_s, uniform=self._uniform()
        )
        # A vendor that asks for no wait is not to be hammered.
        delay_s = max(delay_s, retry_after_s or 0.0)
        self._opens_at_s = max(self._opens_at_s, now_s + delay_s)
        if overloaded and not self._decreased:
            self._decreased = True
            self._allowed = max(1.0, self._allowed / 2)
        self.release()
        return delay_s

    def refused(self, message: str) -> None:
        """Take note that no request can succeed, as it seems, until a person changes something."""
        if self._refusal is None:
            self._refused_since_s = self._monotonic()
        self._refusal = message

    @property
    def obstacle(self) -> str | None:
        """Why a person must change something; ``None`` while that is not known.

        A proxy, too, answers 302, 404 or 405 while the vendor behind it is away.
        """
        settings = self._settings
        passes = self.answered and self._monotonic() < self._refused_since_s + settings.misconfigured_after_s
        return None if self._refusal is None or passes else f"the destination refuses every write: {self._refusal}"

    def release(self) -> None:
        """Release a permit that has taught nothing, such as a cancelled request's."""
        self.in_flight -= 1
        self._same_round = max(0, self._same_round - 1)
        self._changed.set()

    def _take(self) -> None:
        self.in_flight += 1
        if self._settings.requests_per_s is not None:
            self._next_token_at_s = self._monotonic() + 1 / self._settings.requests_per_s

    async def _change(self, wait_s: float) -> None:
        """Wait until a permit comes back, the queue moves, or the gate is due to open.

        ``wait_s`` is what the caller has seen: by now the gate may be open, and nobody would come to say so.
        """
        self._changed.clear()
        try:
            async with asyncio.timeout(wait_s if wait_s > 0 else None):
                await self._changed.wait()
        except TimeoutError:
            return

    def _wait_s(self) -> float:
        return max(self._opens_at_s, self._next_token_at_s) - self._monotonic()
