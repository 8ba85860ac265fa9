"""Base class of all vendors' stand-ins."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.faults.fault import Selection
from sandbox.http.messages import Response
from sandbox.http.routing import Pool, Route
from sandbox.ledger.ledger import Ledger


class Vendor(ABC):
    """Stand-in for one vendor's API: routes whose handlers turn a request into an answer.

    A vendor may add routes of its own under ``/_sandbox/``.
    """

    name: str
    routes: Sequence[Route]
    fault_kinds: Sequence[type[Selection]] = ()
    """Kinds of fault that only this vendor has, such as a batch that fails half-way. They are switched like the others;
    the vendor itself asks its board whether one acts."""
    max_body_bytes: int | None = None
    """Roughly the part of a request's body that is kept in memory. It must be more than the vendor accepts, so that the
    vendor sees that a body is too large. Null keeps all of it."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.clock = Clock()
        self.ledger = ledger or Ledger()
        self.faults = FaultBoard(self.clock)

    def canonical_path(self, raw_path: str) -> str:
        """Return the path as the routes spell it. A vendor that ignores slashes or case overrides this."""
        return raw_path

    def pool_of(self, route: Route | None, _headers: Iterable[tuple[bytes, bytes]], /) -> Pool | None:
        """Return the pool that counts the request, beside the one for all requests. A vendor that counts by client
        overrides this."""
        return route.pool if route else None

    def catch_up(self) -> None:  # noqa: B027 (a vendor without jobs has nothing to do)
        """Do what has become due by the clock since the last request. Called before every request is answered, also
        those under ``/_sandbox/``. A vendor whose jobs have phases overrides this."""

    @abstractmethod
    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """Answer a request for an unknown path, or for a known path with a method other than those ``allowed``."""

    @abstractmethod
    def expire_tokens(self) -> int:
        """Expire every token or session; return how many were alive."""

    @abstractmethod
    def state(self) -> dict[str, object]:
        """Return counts of what the vendor holds, by object."""

    @abstractmethod
    def reset(self) -> None:
        """Return to the state at the start."""
