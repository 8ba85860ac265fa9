"""The options that select dead letters, the same for every command of ``sluice dead``."""

from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from typing import Any

import click

from sluice.cli.since import parse_since
from sluice.cli.terminal import local_time
from sluice.dead_letters.selection import Selection
from sluice.kafka.topic_reader import Since
from sluice.wall_clock import utc_now

Command = Callable[..., None]


def select_letters(command: Command) -> Command:
    """Add the options to ``command``, which takes what they select as its argument ``selection``."""

    @wraps(command)
    def with_selection(*arguments: Any, since: Since | None, until: Since | None, **options: Any) -> None:
        chosen = {name: options.pop(name) for name in ("classes", "codes", "batches", "objects", "keys", "jobs")}
        selection = Selection(**chosen, since=_instant(since), until=_instant(until))
        if selection.since and selection.until and selection.since >= selection.until:
            raise click.UsageError(
                f"--since {local_time(selection.since)} is not before --until {local_time(selection.until)}"
            )
        command(*arguments, selection=selection, **options)

    decorated: Command = with_selection
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _instant(time: Since | None) -> datetime | None:
    if isinstance(time, datetime):
        return time
    return utc_now() if time == "now" else None


_option = partial(click.option, multiple=True)
_OPTIONS = (
    _option(
        "--code",
        "codes",
        metavar="CODE",
        help="Only letters with this code of the vendor. This and the next five options may be repeated.",
    ),
    _option(
        "--class",
        "classes",
        type=click.Choice(("rejected", "ambiguous", "retryable", "cancelled")),
        help="Only letters that were rejected, whose outcome is unknown, or that were tried too often.",
    ),
    _option("--object", "objects", metavar="NAME", help="Only letters of one kind of object at the vendor."),
    _option("--key", "keys", metavar="KEY", help="Only letters of one record: the event's key, or the message key."),
    _option("--job", "jobs", metavar="ID", help="Only letters of one job."),
    _option("--batch", "batches", metavar="ID", help="Only letters of one batch."),
    click.option(
        "--since", type=parse_since, metavar="WHEN", help="Only letters written since 30m, 2h, 7d ago, or an instant."
    ),
    click.option("--until", type=parse_since, metavar="WHEN", help="Only letters written before that time."),
)
