"""The calls of a run, and what became of those whose answer was lost."""

from collections.abc import Sequence
from pathlib import Path

from demo.call_table import print_calls
from demo.evidence import Evidence
from demo.processes import log_lines
from demo.screen import Screen
from sluice import Succeeded

_CREATES = ("/l10/create", "/issues/create", "/{mid}/rocks", "/{mid}/todos")


def print_lost_answers(screen: Screen, evidence: Evidence) -> None:
    """Print them."""
    print_calls(screen, evidence, _purpose)
    adopted = sum(isinstance(receipt, Succeeded) and receipt.event.status == "adopted" for receipt in evidence.receipts)
    screen.print(
        "answers lost by the kill, on the way, or behind a 503, which does not tell whether a record was made: "
        f"{adopted} found at the vendor, {_sent_again(evidence.logs)} proven not to be there and sent again"
    )


def _purpose(method: str, path: str) -> str:
    if path.endswith("/token"):
        return "log in"
    if method == "GET":
        return "read what is there, what was done, and who we are"
    if "/attendees/" in path:
        return "add attendees"
    return "create records" if path.endswith(_CREATES) else "change records"


def _sent_again(logs: Sequence[Path]) -> int:
    lines = [line for log in logs for line in log_lines(log, "batch recovered")]
    return sum(int(str(line["sent_again"])) for line in lines)
