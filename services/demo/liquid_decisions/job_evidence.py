"""Upserts and imports of a run, from the logs of all writers and by the vendor's count."""

from collections import Counter

from demo.evidence import Evidence
from demo.processes import log_lines
from demo.screen import Screen
from demo.summary import new_table


def print_jobs(screen: Screen, evidence: Evidence) -> None:
    """Print them."""
    print(evidence.ledger.requests)
    msgs = Counter()
    for log in evidence.logs:
        import msgspec

        for l in log.read_text().splitlines():
            try:
                msgs[msgspec.json.decode(l)["message"]] += 1
            except Exception:
                pass
        for m in (
            "batch submitted",
            "batch submitted, its answer is lost",
            "lost batch looked for",
            "vendor job collected",
        ):
            for line in log_lines(log, m)[:3]:
                print(line)
    print(msgs)
