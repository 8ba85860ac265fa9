"""``--since`` of ``sluice outcomes tail`` and of ``sluice dead``."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from sluice.cli.since import parse_since
from tests.cli.conftest import Run, failure


def test_duration_is_subtracted_from_now() -> None:
    before = datetime.now(UTC)
    instant = parse_since("90m")
    assert isinstance(instant, datetime)
    assert before - timedelta(minutes=90) <= instant <= datetime.now(UTC) - timedelta(minutes=90)


@pytest.mark.parametrize("since", ["2026-11-22T08:00:00Z", "2026-11-22T09:00:00+01:00", "1969-01-01T00:00:00Z"])
def test_instant_is_taken_as_it_is(since: str) -> None:
    assert parse_since(since) == datetime.fromisoformat(since)


@pytest.mark.parametrize("command", [("outcomes", "tail"), ("dead", "ls")], ids=" ".join)
@pytest.mark.parametrize(
    ("since", "sentence"),
    [
        *(
            pytest.param(text, "expected 10m, an instant such as", id=text)
            for text in ("yesterday", "10x", "2026-13-01")
        ),
        pytest.param("9999999d", "use beginning to read everything", id="before the year 1"),
        pytest.param("9" * 20 + "d", "use beginning to read everything", id="longer than any duration"),
        pytest.param("0001-01-01T00:00:00+14:00", "use beginning to read everything", id="before the year 1 in UTC"),
    ],
)
def test_unusable_time_is_one_sentence(
    settings: Path, run: Run, command: tuple[str, ...], since: str, sentence: str
) -> None:
    error = failure(run(*command, "crm", "--since", since), Exit.USAGE)
    assert sentence in error
    assert f"got '{since}'" in error
