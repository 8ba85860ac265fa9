"""The calls of a run by the vendor's count, and what became of those whose answer was lost."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from demo.evidence import Evidence
from demo.processes import log_lines
from demo.screen import Screen
from demo.summary import new_table
from sluice import Succeeded

_CREATES = ("/l10/create", "/issues/create", "/{mid}/rocks", "/{mid}/todos")


def print_calls(screen: Screen, evidence: Evidence) -> None:
    """Print them."""
    calls: dict[str, Counter[str]] = {}
    for request, count in evidence.ledger.requests.items():
        method, path, status = request.split(" ")
        calls.setdefault(_purpose(method, path), Counter())[status] += count
    statuses = sorted(set().union(*calls.values()))
    table = new_table("calls that", "calls", *statuses)
    for purpose, counts in sorted(calls.items(), key=lambda pair: -pair[1].total()):
        table.add_row(purpose, f"{counts.total():,}", *(f"{counts[status] or ''}" for status in statuses))
    screen.print(table)
    screen.print()
    total = sum(counts.total() for counts in calls.values())
    at_once = evidence.ledger.max_concurrent.get("all", 0)
    screen.print(f"{total:,} calls for {evidence.records:,} records, at most {at_once} at once, by the vendor's count")
    adopted = sum(isinstance(receipt, Succeeded) and receipt.event.status == "adopted" for receipt in evidence.receipts)
    screen.print(
        "answers lost by the kill, on the way, or behind a 503, which does not tell whether a record was made: "
        f"{adopted} found at the vendor, {_sent_again(evidence.logs)} proven not to be there and sent again"
    )


def _purpose(method: str, path: str) -> str:
    if path.endswith("/token"):
        return "log in"
    if method == "GET":
        return "read: what is there, what was done, who we are"
    if "/attendees/" in path:
        return "add attendees"
    return "create records" if path.endswith(_CREATES) else "change records"


def _sent_again(logs: Sequence[Path]) -> int:
    lines = [line for log in logs for line in log_lines(log, "batch recovered")]
    return sum(int(str(line["sent_again"])) for line in lines)
