"""The points on a record's way at which a process can die, by name: the chaos harness kills it at each of them."""

from collections.abc import Callable
from enum import StrEnum


class Waypoint(StrEnum):
    """What has just happened when a point is reached."""

    FETCHED = "fetched"  # messages were handed out by the consumer
    WINDOWED = "windowed"  # a batch was taken
    INTENDED = "intended"  # what must not be sent twice is in the journal
    SENDING = "sending"  # the request is about to leave
    ANSWERED = "answered"  # every fate is known
    WRITTEN = "written"  # receipts and offsets are in the transaction
    COMMITTED = "committed"  # the transaction is committed


Reach = Callable[[Waypoint], None]
"""Called at each waypoint."""


def pass_by(_waypoint: Waypoint) -> None:
    """What a process in production does at a waypoint."""
