"""How soon a writer delivers again that was killed in a large backlog, with much settled beyond what is committed."""

import asyncio
import time

import msgspec
from aiokafka import AIOKafkaConsumer

from sandbox.control import SandboxControl
from sandbox.faults.fault import Stall
from tests.bench.contender import Contender, logged_at, running, writer_command
from tests.bench.receipts import Receipts, count_receipts
from tests.bench.stage import Stage
from tests.bench.throughput import UNLIMITED, committed
from tests.bench.workload import rewind

_SETTLED_BEYOND = 10_000
_STALLED_S = 3600.0
_POLL_S = 0.05
_RECEIPT_WITHIN_S = 60.0


class Restart(msgspec.Struct, kw_only=True):
    """What a restart after a SIGKILL needed, and whether its receipts add up."""

    records: int
    waiting: int
    """Records whose offset was not committed when the writer was killed."""
    settled_beyond: int
    """Those of them that had their receipt: one unanswered request holds the commit back."""
    first_receipt_s: float
    """From the assignment of the lanes to the first new receipt in a ``read_committed`` consumer."""
    receipts: Receipts

    @property
    def complete(self) -> bool:
        return self.records == self.receipts.total == self.receipts.records


async def measure_restart(stage: Stage, records: int) -> Restart:
    """Kill a writer whose first request is not answered while others settle, start another, let it finish."""
    await rewind(stage)
    with stage.sandbox("blueconic", "--ledger", "counts", "--max-concurrent", UNLIMITED) as vendor:
        command = writer_command(stage, stage.settings_file(vendor))
        async with SandboxControl(vendor.url) as control:
            await control.add_fault(Stall(seconds=_STALLED_S, method="PUT"))
        async with running(command, stage) as writer:
            await _receipts(writer, stage, min(_SETTLED_BEYOND, records // 2))
            await writer.kill()
        done, settled = await stage.committed(stage.writer_group), await count_receipts(stage)
        async with running(command, stage) as writer:
            received_at = await _first_receipt_at(stage)
            first_receipt_s = received_at - _assigned_at(writer)
            await committed(writer, stage, stage.writer_group, records)
    return Restart(
        records=records,
        waiting=records - done,
        settled_beyond=settled.records - done,
        first_receipt_s=first_receipt_s,
        receipts=await count_receipts(stage),
    )


async def _receipts(writer: Contender, stage: Stage, wanted: int) -> None:
    """Wait until there are so many."""
    while (await count_receipts(stage)).records < wanted:
        writer.check_alive()
        await asyncio.sleep(_POLL_S)


async def _first_receipt_at(stage: Stage) -> float:
    """When the next receipt comes, in seconds since 1970."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap_servers, isolation_level="read_committed")
    await consumer.start()
    try:
        consumer.assign(stage.partitions(stage.topics.succeeded))
        await consumer.seek_to_end()
        async with asyncio.timeout(_RECEIPT_WITHIN_S):
            while not await consumer.getmany(timeout_ms=1000):
                pass
        return time.time()
    finally:
        await consumer.stop()


def _assigned_at(writer: Contender) -> float:
    *_, last = writer.logged("lanes assigned")
    return logged_at(last)
