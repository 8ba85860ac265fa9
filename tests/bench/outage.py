"""Memory of a writer that finds a large backlog and a vendor that is down."""

import asyncio

from sandbox.control import SandboxControl
from sandbox.faults.fault import Outage as OutageFault
from tests.bench.contender import running, writer_command
from tests.bench.receipts import Delivered, count_receipts
from tests.bench.stage import Stage
from tests.bench.throughput import committed
from tests.bench.workload import rewind

_TICK_S = 1.0


class Outage(Delivered, kw_only=True):
    """Memory that a writer held while it waited, and the receipts it wrote afterwards."""

    seconds: float
    peak_rss_bytes: int


async def measure_outage(stage: Stage, records: int, seconds: float) -> Outage:
    """Start a writer on ``records`` that wait, with the vendor down for ``seconds``; let it finish then."""
    await rewind(stage)
    with stage.vendor() as vendor:
        async with SandboxControl(vendor.url) as control:
            await control.add_fault(OutageFault(seconds=seconds, path="/rest/v2/groups"))
            async with running(writer_command(stage, stage.settings_file(vendor))) as writer:
                while await control.faults():
                    writer.check_alive()
                    await asyncio.sleep(_TICK_S)
                peak_rss_bytes = writer.peak_rss_bytes()
                await committed(writer, stage, stage.writer_group, records)
    return Outage(records=records, seconds=seconds, peak_rss_bytes=peak_rss_bytes, receipts=await count_receipts(stage))
