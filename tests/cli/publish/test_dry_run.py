"""``sluice publish --dry-run``."""

from pathlib import Path

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run
from tests.cli.publish.files import KEYED, publish, published


def test_dry_run_shows_the_first_events_and_publishes_nothing(crm: Connection, run: Run) -> None:
    result = publish(run, "a.csv", "id\n" + "\n".join(map(str, range(8))) + "\n\n9,9\n", *KEYED, "--dry-run")
    assert result.exit_code == Exit.SOME_FAILED
    assert result.stdout.count('"event_id"') == 5
    assert "line 11: expected 1 columns, got 2" in result.stderr
    assert "would publish 8 records; rejected rows: 1; nothing was published" in result.stderr
    assert published(crm) == []
    assert not Path("a.csv.rejects.jsonl").exists()
