"""The calls of a run by the vendor's count, and what became of those whose answer was lost."""

from collections import Counter

from demo.evidence import Evidence
from demo.processes import log_lines
from demo.screen import Screen
from demo.summary import new_table

_UNCHANGED = "UNCHANGED"


def print_calls(screen: Screen, evidence: Evidence) -> None:
    """Print them."""
    calls: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for request, count in evidence.ledger.requests.items():
        method, _, status = request.split(" ")
        calls[_KINDS.get(method, "changes")] += count
        statuses[status] += count
    table = new_table("calls that", "calls")
    for kind, count in sorted(calls.items()):
        table.add_row(kind, f"{count:,}")
    screen.print(table)
    screen.print()
    answers = ", ".join(f"{count:,} with {status}" for status, count in sorted(statuses.items()))
    screen.print(f"answered by the vendor's count: {answers}")
    print(evidence.ledger.max_concurrent, evidence.ledger.effects, evidence.ledger.requests)
    for log in evidence.logs:
        for line in log_lines(log, "batch recovered"):
            print(line)


_KINDS = {"GET": "read"}
