"""The calls of a run by purpose and answer, as the vendor has counted them."""

from collections import Counter, defaultdict
from collections.abc import Callable

from demo.evidence import Evidence
from demo.screen import Screen
from demo.summary import new_table


def print_calls(screen: Screen, evidence: Evidence, purpose: Callable[[str, str], str]) -> None:
    """Print them. ``purpose`` returns that of a call by its method and path."""
    calls: dict[str, Counter[str]] = defaultdict(Counter)
    for request, count in evidence.ledger.requests.items():
        method, path, answer = request.split(" ")
        calls[purpose(method, path)][answer] += count
    answers = sorted(set().union(*calls.values()))
    table = new_table("calls that", "calls", *answers)
    for name, counts in sorted(calls.items(), key=lambda pair: -pair[1].total()):
        table.add_row(name, f"{counts.total():,}", *(f"{counts[answer] or ''}" for answer in answers))
    screen.print(table)
    screen.print()
    total = sum(counts.total() for counts in calls.values())
    at_once = evidence.ledger.max_concurrent.get("all", 0)
    screen.print(f"{total:,} calls for {evidence.records:,} records, at most {at_once} at once, by the vendor's count")
