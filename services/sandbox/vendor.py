"""What the frame asks of a vendor's stand-in."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.faults.fault import Selection
from sandbox.http.messages import Response
from sandbox.http.routing import Pool, Route
from sandbox.ledger.ledger import Ledger


class Vendor(ABC):
    """A stand-in for one vendor's API: routes whose handlers turn a request into an answer.

    Its routes may include paths under `/_sandbox/` of its own.
    """

    name: str
    routes: Sequence[Route]
    fault_kinds: Sequence[type[Selection]] = ()
    """Faults beyond those that every vendor can have, such as a batch that fails half-way. They are switched like the
    others; the vendor itself asks its board whether one acts."""
    max_body_bytes: int | None = None
    """About how much of a request's body is kept in memory: more than the vendor takes, so that it sees what is too
    large. Null is all of it."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.clock = Clock()
        self.ledger = ledger or Ledger()
        self.faults = FaultBoard(self.clock)

    def canonical_path(self, raw_path: str) -> str:
        """The path as the routes spell it; overridden by a vendor that is lenient about slashes or case."""
        return raw_path

    def pool_of(self, route: Route | None, _headers: Iterable[tuple[bytes, bytes]], /) -> Pool | None:
        """What the request counts in besides everything; overridden by a vendor that counts by client."""
        return route.pool if route else None

    def catch_up(self) -> None:  # noqa: B027 (a vendor without jobs has nothing to do)
        """Does what has become due by the clock since the last request; called before every request is answered,
        those under `/_sandbox/` too. Overridden by a vendor whose jobs have phases."""

    @abstractmethod
    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """Answers a path that the vendor does not have, or has for the `allowed` methods only."""

    @abstractmethod
    def expire_tokens(self) -> int:
        """Makes every token or session die now; returns how many did."""

    @abstractmethod
    def state(self) -> dict[str, object]:
        """Says what the vendor holds: counts by object, and the like."""

    @abstractmethod
    def reset(self) -> None:
        """Forgets everything, as if just started."""
