"""Active faults, and the choice of those that act on a request."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from sandbox.clock import Clock
from sandbox.faults.fault import Outage, Selection

Chosen = TypeVar("Chosen", bound=Selection)


class ActiveFault(msgspec.Struct, Generic[Chosen], kw_only=True):
    """A fault on the board: how many requests it met, how often it acted, and when an outage ends (seconds since 1970
    by the sandbox's clock)."""

    id: int
    fault: Chosen
    met: int = 0
    acted: int = 0
    ends_at: float | None = None


class FaultBoard:
    """The active faults, in the order in which they were added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: list[ActiveFault[Selection]] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._active)

    def add(self, fault: Chosen) -> ActiveFault[Chosen]:
        self._added += 1
        ends_at = self._clock.now() + fault.seconds if isinstance(fault, Outage) else None
        active = ActiveFault(id=self._added, fault=fault, ends_at=ends_at)
        self._active.append(active)  # type: ignore[arg-type]
        return active

    def clear(self) -> None:
        self._active = []

    def standing(self) -> list[ActiveFault[Selection]]:
        """Remove the faults that are used up; return those that may still act."""
        now = self._clock.now()
        self._active = [active for active in self._active if not _is_spent(active, now)]
        return self._active

    def acting(self, kinds: tuple[type[Chosen], ...], method: str, path: str, body: bytes = b"") -> Iterator[Chosen]:
        """Yield each active fault of these kinds that acts on this request, and count it as used.

        For work without a request of its own, such as a batch processed later, pass the request that created the work.
        Where its body is kept no longer, a fault with ``contains`` does not act.
        """
        for active in tuple(self._active):
            fault = active.fault
            if not isinstance(fault, kinds) or not fault.meets(method, path, body):
                continue
            if active not in self.standing():
                continue
            active.met += 1
            if active.met > fault.skip:
                active.acted += 1
                yield fault


def _is_spent(active: ActiveFault[Selection], now: float) -> bool:
    if active.ends_at is not None and now >= active.ends_at:
        return True
    return active.fault.times is not None and active.acted >= active.fault.times
