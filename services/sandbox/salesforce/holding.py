"""Batches and jobs that the fault ``hold_jobs`` keeps queued until they are released."""

from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.salesforce.faults import HoldJobs
from sandbox.salesforce.origin import Origin
from sandbox.salesforce.schedule import Action


class Holding:
    """Starts of batches and jobs, at once or on release."""

    def __init__(self, faults: FaultBoard, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._held: list[Action] = []

    def start(self, origin: Origin, at: float, begin: Action) -> None:
        """Begin as of ``at``, unless a fault holds the request that brought the work. One released begins then."""
        for _ in self._faults.acting((HoldJobs,), origin.method, origin.path):
            self._held.append(begin)
            return
        begin(at)

    def release(self) -> int:
        """Begin all that is held, in the order of its arrival, and return how many there were."""
        held, self._held = self._held, []
        for begin in held:
            begin(self._clock.now())
        return len(held)
