"""The instant that ``--since`` and ``--until`` name."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from sluice.kafka.topic_reader import Since

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class SinceType(click.ParamType):
    """An instant, a duration before now, ``beginning`` or ``now``."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Since:
        """Return ``value`` as :func:`~sluice.client.outcomes.outcomes` takes it. Raises ``click.BadParameter``."""
        if value in ("beginning", "now"):
            word: Since = value
            return word
        try:
            if duration := re.fullmatch(r"(\d+)([smhd])", value):
                return datetime.now(UTC) - timedelta(**{_UNITS[duration[2]]: int(duration[1])})
            return datetime.fromisoformat(value).astimezone()
        except OverflowError:
            self.fail(
                f"expected an instant between the years 1 and 9999, got {value!r}; use beginning to read everything",
                param,
                ctx,
            )
        except ValueError:
            self.fail(
                f"expected 10m, an instant such as 2026-11-22T08:00:00Z, beginning or now, got {value!r}", param, ctx
            )
