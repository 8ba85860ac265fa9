"""The faults that stand, and which of them acts on a request."""

from collections.abc import Iterator

import msgspec

from sandbox.clock import Clock
from sandbox.faults import Outage, Standing


class ActiveFault(msgspec.Struct, kw_only=True):
    """A fault on the board: how often it met a request, how often it acted, and when an outage ends (seconds since
    1970 by the sandbox's clock)."""

    id: int
    fault: Standing
    met: int = 0
    acted: int = 0
    ends_at: float | None = None


class FaultBoard:
    """The faults that stand, in the order in which they were added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: list[ActiveFault] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._active)

    def add(self, fault: Standing) -> ActiveFault:
        self._added += 1
        ends_at = self._clock.now() + fault.seconds if isinstance(fault, Outage) else None
        active = ActiveFault(id=self._added, fault=fault, ends_at=ends_at)
        self._active.append(active)
        return active

    def clear(self) -> None:
        self._active = []

    def standing(self) -> list[ActiveFault]:
        """What may still act."""
        now = self._clock.now()
        self._active = [active for active in self._active if not _is_spent(active, now)]
        return self._active

    def acting(self, kinds: tuple[type[Standing], ...], method: str, path: str) -> Iterator[Standing]:
        """Yields, and uses up, each standing fault of these kinds that acts on this request."""
        for active in tuple(self._active):
            fault = active.fault
            if not isinstance(fault, kinds) or not fault.meets(method, path):
                continue
            if active not in self.standing():
                continue
            active.met += 1
            if active.met > fault.skip:
                active.acted += 1
                yield fault


def _is_spent(active: ActiveFault, now: float) -> bool:
    if active.ends_at is not None and now >= active.ends_at:
        return True
    return active.fault.times is not None and active.acted >= active.fault.times
