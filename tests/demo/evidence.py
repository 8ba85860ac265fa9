"""Evidence for tests: a run without receipts, in which all counts agree, and changes to it."""

from typing import Any

from demo.audit import Audit
from demo.evidence import Evidence
from sandbox.ledger.ledger import LedgerSummary
from sandbox.ledger.repeats import Repeat, Repeats

CLEAN = Audit([], [], [])


def evidence(**changes: Any) -> Evidence:
    """Return the evidence of that run with ``changes``."""
    found = Evidence(
        published=0, records=0, receipts=[], dead_messages=[], audit=CLEAN, ledger=ledger({}), groups=0, batches=[]
    )
    return found._replace(**changes)


def ledger(effects: dict[str, int], repeated: int = 0) -> LedgerSummary:
    """Return a vendor's ledger with these ``effects``, in which ``repeated`` records were applied twice."""
    repeats = [Repeat(identifier=f"0-{number}", received=2, changed=2) for number in range(repeated)]
    return LedgerSummary(
        requests={},
        entries=0,
        effects={"group": effects},
        changed=0,
        max_entries_per_request=0,
        max_concurrent={},
        forgotten=0,
        repeats=Repeats(received_more_than_once=0, changed_more_than_once=repeated, first=repeats),
    )
