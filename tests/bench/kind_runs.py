"""One run of the writer to a vendor, whatever its kind: what it costs in CPU, memory and calls."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from sluice.kafka.sending import Message
from tests.bench.contender import Contender, running, writer_command
from tests.bench.receipts import Delivered, count_receipts
from tests.bench.stage import Stage
from tests.bench.throughput import committed
from tests.bench.vendor import Served
from tests.bench.workload import rewind, write

_SLICE = 1000


class KindRun(Delivered, kw_only=True):
    """What one run has taken."""

    cpu_s: float
    seconds: float
    peak_rss_bytes: int
    calls: int
    """All that the vendor answered: writes, questions and logins."""

    @property
    def records_per_cpu_s(self) -> float:
        return self.records / self.cpu_s

    def __str__(self) -> str:
        return (
            f"{self.records_per_cpu_s:9,.0f} records/CPU-s  {self.records / self.seconds:8,.0f} records/s  "
            f"{self.peak_rss_bytes / 2**20:4.0f} MiB  {self.calls} calls"
        )


async def publish_messages(stage: Stage, messages: Iterable[Message], records: int) -> None:
    """Publish ``messages``, which are ``records``, once for all runs."""
    left = iter(messages)
    size = max(1, min(_SLICE, records // stage.lanes))
    batches = ([message for _, message in zip(range(size), left, strict=False)] for _ in range(0, records, size))
    await write(stage, stage.topics.records, batches, compression="lz4")


async def run_kind(stage: Stage, vendor: Served, entry: Mapping[str, Any], records: int) -> KindRun:
    """Run the writer with the destination's ``entry`` over the published input, until every record is committed."""
    await rewind(stage)
    async with running(writer_command(stage, stage.settings_file(vendor, entry=entry))) as writer:
        end = await committed(writer, stage, stage.writer_group, records)
        peak_rss_bytes, calls = writer.peak_rss_bytes(), await _calls(writer)
    return KindRun(
        records=records,
        receipts=await count_receipts(stage),
        cpu_s=end.cpu_s - writer.start.cpu_s,
        seconds=end.at_s - writer.start.at_s,
        peak_rss_bytes=peak_rss_bytes,
        calls=calls,
    )


async def _calls(writer: Contender) -> int:
    """Return how many calls the writer's own metrics count."""
    (started,) = writer.logged("writer started")
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        metrics = (await http.get(f"http://127.0.0.1:{started['http_port']}/metrics")).raise_for_status().text
    return round(sum(float(count) for count in re.findall(r"^sluice_request_seconds_count\S* (\S+)", metrics, re.M)))
