"""Times as this API writes and reads them: ``2026-01-05T10:00:00Z``. bloom_growth.md §1."""

import time
from datetime import UTC, date, datetime, timedelta

import msgspec

from sandbox.bloom_growth.refusals import Refusal

_DATE_CHARS = 10
DAY_S = 86_400


def instant(seconds: float) -> str:
    """Format seconds since 1970. [assumed: parses in every client seen]"""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def midnight(day: date) -> str:
    return f"{day:%Y-%m-%d}T00:00:00Z"


def today(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def end_of_quarter(day: date) -> date:
    last_month = (day.month - 1) // 3 * 3 + 3
    return date(day.year + last_month // 12, last_month % 12 + 1, 1) - timedelta(days=1)


def read_instant(name: str, text: str) -> str | None:
    """Read ``2026-01-12`` [docs:guide] or a full instant [client:other]; the empty string is null [client].

    A time without a zone is UTC. Fractions of a second are dropped. Raises ``Refusal`` for anything else.
    """
    if not text:
        return None
    try:
        if len(text) == _DATE_CHARS:
            return midnight(msgspec.convert(text, date))
        found = msgspec.convert(text, datetime)
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise Refusal(400, f"The request is invalid: {name} expected a date, got {text!r:.100}") from None
    return f"{aware.replace(tzinfo=None, microsecond=0).isoformat()}Z"
