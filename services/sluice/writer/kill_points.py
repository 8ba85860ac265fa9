"""Kill points: moments on a record's way at which the chaos harness kills or freezes a writer."""

from collections.abc import Callable
from enum import StrEnum


class KillPoint(StrEnum):
    """A moment, named after what has just happened."""

    FETCHED = "fetched"  # messages were handed out by the consumer
    WINDOWED = "windowed"  # a batch was taken
    INTENDED = "intended"  # what must not be sent twice is in the journal
    SENDING = "sending"  # the request is about to leave
    ANSWERED = "answered"  # every fate is known
    WRITTEN = "written"  # receipts and offsets are in the transaction
    COMMITTED = "committed"  # the transaction is committed


AtKillPoint = Callable[[KillPoint], None]
"""Called at each kill point."""


def go_on(_point: KillPoint) -> None:
    """Do nothing: the process is not under test."""
