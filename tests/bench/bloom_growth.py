"""Runs of the writer to Bloom Growth: a call for each issue, which must not be repeated."""

from sluice.kafka.sending import Message
from tests.bench.kind_runs import KindRun, publish_messages, run_kind
from tests.bench.stage import Stage
from tests.bench.vendor import served
from tests.bench.workload import SPREAD

MEETING = 1036
_WINDOW = 100
"""The kind's own limit."""
_MAX_CONCURRENT = 20
"""The vendor's. bloom_growth.md §11 [docs:guide]"""
_VALUE = (
    b'{"event_id":"%032x","object":"issue","operation":"insert","data":{"title":"What we talk about, %d",'
    b'"meeting_id":%d,"notes":"In some words."},"occurred_at":"2026-03-01T10:00:00Z"}'
)


async def publish(stage: Stage, records: int) -> None:
    """Publish issues to make, once for all runs."""
    await publish_messages(stage, (_message(number) for number in range(records)), records)


async def run_bloom_growth(stage: Stage, records: int) -> KindRun:
    """Run the writer over the published input."""
    arguments = ("--ledger", "counts", "--requests-per-second", "0", "--meeting-id", str(MEETING))
    with served("bloom-growth", *arguments, python=stage.python) as vendor:
        to = {
            "kind": "bloom_growth",
            "url": vendor.url,
            "api_key": vendor.credentials["api_key"],
            "max_concurrent": _MAX_CONCURRENT,
        }
        return await run_kind(stage, vendor, {"to": to, "window": {"max_items": _WINDOW}}, records)


def _message(number: int) -> Message:
    value = _VALUE % ((number + 1) * SPREAD % 2**128, number, MEETING)
    return Message(b"meeting-%08d" % number, value, [])
