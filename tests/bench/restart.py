"""Time until a writer delivers again that was killed in a large backlog, with much settled beyond the commit."""

import asyncio
import time

from sandbox.control import SandboxControl
from sandbox.faults.fault import Stall
from tests.bench.contender import logged_at, running, writer_command
from tests.bench.receipts import Delivered, count_receipts
from tests.bench.stage import Stage
from tests.bench.throughput import committed
from tests.bench.workload import rewind

_SETTLED_BEYOND = 10_000
_STALLED_S = 3600.0
_POLL_S = 0.05
_RECEIPT_WITHIN_S = 60.0


class Restart(Delivered, kw_only=True):
    """Time that a restart after a SIGKILL needed, and its receipts."""

    waiting: int
    """Records whose offset was not committed when the writer was killed."""
    settled_beyond: int
    """Those of them that had their receipt: one unanswered request holds the commit back."""
    first_receipt_s: float
    """From the assignment of the lanes to the first new receipt in a ``read_committed`` consumer."""


async def measure_restart(stage: Stage, records: int) -> Restart:
    """Kill a writer whose first request is not answered while others settle, start another, let it finish."""
    await rewind(stage)
    with stage.vendor() as vendor:
        command = writer_command(stage, stage.settings_file(vendor))
        async with SandboxControl(vendor.url) as control:
            await control.add_fault(Stall(seconds=_STALLED_S, method="PUT"))
        async with running(command) as writer:
            while (await count_receipts(stage)).records < min(_SETTLED_BEYOND, records // 2):
                writer.check_alive()
                await asyncio.sleep(_POLL_S)
            await writer.kill()
        done, settled = await stage.committed(stage.writer_group), await count_receipts(stage)
        async with running(command) as writer:
            received_at_s = await _next_receipt_at_s(stage)
            *_, assigned = writer.logged("lanes assigned")
            await committed(writer, stage, stage.writer_group, records)
    return Restart(
        records=records,
        waiting=records - done,
        settled_beyond=settled.records - done,
        first_receipt_s=received_at_s - logged_at(assigned),
        receipts=await count_receipts(stage),
    )


async def _next_receipt_at_s(stage: Stage) -> float:
    """Return when the next receipt comes, in seconds since 1970."""
    async with stage.new_receipts() as consumer, asyncio.timeout(_RECEIPT_WITHIN_S):
        while not await consumer.getmany(timeout_ms=1000):
            pass
        return time.time()
