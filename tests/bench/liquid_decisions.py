"""Runs of the writer to Liquid Decisions: upserts, and imports whose records are looked up afterwards."""

from typing import Literal

from sluice.kafka.sending import Message
from tests.bench.kind_runs import KindRun, publish_messages, run_kind
from tests.bench.stage import Stage
from tests.bench.vendor import served
from tests.bench.workload import SPREAD

Write = Literal["upsert", "import"]
TINY = 100_000
_MAX_AGE_S: dict[Write, float] = {"upsert": 1.0, "import": 10.0}
_VALUE = (
    b'{"event_id":"%032x","object":"Account","operation":"upsert","key":"company-%08d","data":{"name":"Company '
    b'%016x of Rotterdam","city":"Rotterdam","country":"NL","employees":%d,"active":true,"updated":"2026-03-01"},'
    b'"occurred_at":"2026-03-01T10:00:00Z"}'
)


async def publish(stage: Stage, records: int) -> None:
    """Publish accounts, once for all runs."""
    await publish_messages(stage, (_message(number) for number in range(records)), records)


async def run_liquid_decisions(stage: Stage, records: int, write: Write) -> KindRun:
    """Run the writer over the published input, in batches as large as the vendor takes."""
    with served("liquid-decisions", "--ledger", "counts", python=stage.python) as vendor:
        credentials = {name: vendor.credentials[name] for name in ("username", "password", "community")}
        to = {
            "kind": "liquid_decisions",
            "url": vendor.url,
            **credentials,
            "types": {"Account": {"key_fields": ["accountId"], "write": write}},
            "verify": "always",
        }
        # A tiny input never fills a window: its age would be all that is measured.
        window = {"max_age_s": _MAX_AGE_S[write] if records >= TINY else 0.5}
        return await run_kind(stage, vendor, {"to": to, "window": window}, records)


def _message(number: int) -> Message:
    """Return a record as those of BlueConic's runs are."""
    id_ = (number + 1) * SPREAD % 2**128
    value = _VALUE % (id_, number, id_ % 2**64, 10_000 + number % 90_000)
    return Message(b"company-%08d" % number, value, [])
