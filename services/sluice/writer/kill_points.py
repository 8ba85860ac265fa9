"""Kill points: moments on a record's way at which the chaos harness kills or freezes a writer."""

from collections.abc import Callable
from enum import StrEnum


class KillPoint(StrEnum):
    """A moment, named after what has just happened."""

    FETCHED = "fetched"  # messages were handed out by the consumer
    WINDOWED = "windowed"  # a batch was taken
    INTENDED = "intended"  # what must not be sent twice is in the journal
    NAMED = "named"  # the vendor's name for a job is in the journal
    SENDING = "sending"  # the request is about to leave
    ANSWERED = "answered"  # the fate of some items is known
    COLLECTED = "collected"  # some rows of a vendor job are about to be settled
    WRITTEN = "written"  # receipts and offsets are in the transaction
    COMMITTED = "committed"  # the transaction is committed


_hooks: list[Callable[[KillPoint], None]] = []


def at(point: KillPoint) -> None:
    """Tell whoever tests this process that ``point`` is reached; in production nobody listens."""
    for hook in _hooks:
        hook(point)


def listen(hook: Callable[[KillPoint], None]) -> None:
    """Have ``hook`` called at every kill point of this process."""
    _hooks.append(hook)
