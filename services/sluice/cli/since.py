"""The instant that ``--since`` and ``--until`` name."""

import re
from datetime import datetime, timedelta

import click

from sluice.kafka.topic_reader import Since
from sluice.wall_clock import utc_now

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_since(value: str) -> Since:
    """Return an instant, a duration before now, ``beginning`` or ``now``. Raises ``click.BadParameter``."""
    if value == "beginning":
        return "beginning"
    if value == "now":
        return "now"
    try:
        if duration := re.fullmatch(r"(\d+)([smhd])", value):
            return utc_now() - timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        return datetime.fromisoformat(value).astimezone()
    except OverflowError:
        expected, advice = "an instant between the years 1 and 9999", "; use beginning to read everything"
    except ValueError:
        expected, advice = "10m, an instant such as 2026-11-22T08:00:00Z, beginning or now", ""
    raise click.BadParameter(f"expected {expected}, got {value!r}{advice}")
