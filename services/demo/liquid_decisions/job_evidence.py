"""Upserts and imports of a run, and the reading back of what imports have done."""

from demo.call_table import print_calls
from demo.evidence import Evidence
from demo.job_logs import print_job_logs
from demo.screen import Screen

_PURPOSES = {
    "items/upsert": "upsert items, up to 500 at once",
    "batch/import": "submit imports",
    "batch/status": "ask whether imports are over",
    "items/updates": "read back what imports have done",
    "data/sqlQuery": "ask for the newest change before an import",
}


def print_jobs(screen: Screen, evidence: Evidence) -> None:
    """Print them."""
    print_job_logs(screen, evidence.logs, vendor="Liquid Decisions")
    screen.print()
    print_calls(screen, evidence, lambda _method, path: _PURPOSES.get(path.removeprefix("/ls/api/"), "log in"))
