"""How soon a writer delivers again when it was killed in the middle of a large backlog."""

import asyncio
import time

import msgspec
from aiokafka import AIOKafkaConsumer

from tests.bench.contender import Contender, logged_at, running, writer_command
from tests.bench.receipts import Receipts, count_receipts
from tests.bench.stage import Stage
from tests.bench.throughput import UNLIMITED, committed
from tests.bench.workload import rewind

_KILLED_AFTER_SHARE = 0.05
_RECEIPT_WITHIN_S = 60.0


class Restart(msgspec.Struct, kw_only=True):
    """What a restart after a SIGKILL needed, and whether its receipts add up."""

    records: int
    waiting: int
    """Records whose offset was not committed when the writer was killed."""
    first_receipt_s: float
    """From the assignment of the lanes to the first new receipt in a ``read_committed`` consumer."""
    receipts: Receipts

    @property
    def complete(self) -> bool:
        return self.records == self.receipts.total == self.receipts.records


async def measure_restart(stage: Stage, records: int) -> Restart:
    """Kill a writer after a twentieth of ``records``, start another, let it finish."""
    await rewind(stage)
    with stage.sandbox("blueconic", "--ledger", "counts", "--max-concurrent", UNLIMITED) as vendor:
        command = writer_command(stage, stage.settings_file(vendor))
        async with running(command, stage) as writer:
            await committed(writer, stage, stage.writer_group, int(records * _KILLED_AFTER_SHARE))
            await writer.kill()
        done = await stage.committed(stage.writer_group)
        async with running(command, stage) as writer:
            received_at = await _first_receipt_at(stage)
            first_receipt_s = received_at - _assigned_at(writer)
            await committed(writer, stage, stage.writer_group, records)
    return Restart(
        records=records, waiting=records - done, first_receipt_s=first_receipt_s, receipts=await count_receipts(stage)
    )


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
