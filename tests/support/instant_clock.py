"""A clock that jumps over every wait, for tests of code that waits for hours."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class _InstantSelector(selectors.SelectSelector):
    """A selector that lets the loop's clock jump to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for another one: nothing is due any more")
        self.now_s += timeout
        return super().select(0)


class _InstantLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._instant = _InstantSelector()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.now_s


def now_s() -> float:
    """Return the time of the running loop's clock."""
    return asyncio.get_running_loop().time()


async def duration_s(work: Awaitable[object]) -> float:
    """Return how long ``work`` takes by the running loop's clock."""
    started_at_s = now_s()
    await work
    return now_s() - started_at_s


def run_instantly(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` on a clock that jumps over every wait: an hour's hold takes no time, and a deadlock raises."""
    with asyncio.Runner(loop_factory=_InstantLoop) as runner:
        return runner.run(work)


async def turn(times: int = 10) -> None:
    """Let every task that can go on do so; no time passes."""
    for _ in range(times):
        await asyncio.sleep(0)


def instantly(test: Callable[Arguments, Coroutine[Any, Any, None]]) -> Callable[Arguments, None]:
    """Make a test that runs ``test`` by :func:`run_instantly`."""

    @wraps(test)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        run_instantly(test(*args, **kwargs))

    return run


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run ``work`` while the body runs, then cancel it. Raises what it has failed with."""
    running = asyncio.create_task(work)
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.result()
