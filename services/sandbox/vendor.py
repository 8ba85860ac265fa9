"""What the frame asks of a vendor's stand-in."""

from collections.abc import Sequence
from typing import Protocol

from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.messages import Response
from sandbox.routing import Route


class Vendor(Protocol):
    """A stand-in for one vendor's API: routes whose handlers turn a request into an answer.

    Its routes may include paths under `/_sandbox/` of its own.
    """

    name: str
    clock: Clock
    ledger: Ledger
    routes: Sequence[Route]

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """Answers a path that the vendor does not have, or has for the `allowed` methods only."""
        ...

    def expire_tokens(self) -> int:
        """Makes every token or session die now; returns how many did."""
        ...

    def state(self) -> dict[str, object]:
        """Says what the vendor holds: counts by object, and the like."""
        ...

    def reset(self) -> None:
        """Forgets everything, as if just started."""
        ...
