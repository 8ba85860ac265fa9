"""Runs of the writer to Salesforce: what vendor jobs cost, in CPU, memory, calls and batches of the daily budget."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from aiokafka import AIOKafkaProducer

from sandbox.salesforce.control import SalesforceControl
from sandbox.salesforce.faults import HoldJobs
from sluice.kafka.sending import Message
from tests.bench.contender import Contender, logged_at, running, writer_command
from tests.bench.receipts import Delivered, count_receipts
from tests.bench.stage import Stage
from tests.bench.throughput import committed
from tests.bench.vendor import Served, served
from tests.bench.workload import SPREAD, rewind, write

Kind = Literal["salesforce_bulk1", "salesforce_bulk2"]
OBJECTS = ("Contact", "Account", "Lead", "Opportunity", "Campaign", "Task", "Widget__c", "Gadget__c")
MAX_AGE_S = 5.0
FULL_AGE_S = 30.0
"""The kind's own, where batches should be full."""
QUICK_AGE_S = 0.5
"""Where the time to a single record's receipt counts."""
TINY = 100_000
_SLICE = 1000
_POLL_S = 0.1
_MORE = b"""[{"name": "Gadget__c", "prefix": "a01", "fields": [
  {"name": "Name"}, {"name": "Ext__c", "external_id": true, "unique": true}, {"name": "Description"}]}]"""
_REQUIRED = {
    "Contact": b'"LastName":"Company %016x of Rotterdam"',
    "Lead": b'"LastName":"Company %016x","Company":"Rotterdam"',
    "Opportunity": b'"Name":"Company %016x","StageName":"Prospecting","CloseDate":"2026-12-31"',
    "Task": b'"Subject":"Company %016x of Rotterdam"',
}
_VALUE = (
    b'{"event_id":"%032x","object":"%s","operation":"upsert","key":"company-%08d","data":{%s,"Ext__c":"company-%08d"},'
    b'"occurred_at":"2026-03-01T10:00:00Z","padding":"%s"}'
)


class SalesforceRun(Delivered, kw_only=True):
    """What one run has taken."""

    kind: Kind
    cpu_s: float
    seconds: float
    peak_rss_bytes: int
    api_requests: int
    batches: int

    @property
    def records_per_cpu_s(self) -> float:
        return self.records / self.cpu_s


class Stuck(Delivered, kw_only=True):
    """A restart behind one job that does not end."""

    peak_rss_bytes: int
    first_half_rss_bytes: int
    """The most that was held until half of the records were settled."""
    first_receipt_s: float
    """From the assignment of the lanes after the restart to the first new receipt."""


class _Vendor(NamedTuple):
    served: Served
    control: SalesforceControl


def message(number: int, objects: int) -> Message:
    """Return a record of about 300 bytes, of the first ``objects`` objects in turn."""
    id_ = (number + 1) * SPREAD % 2**128
    name = OBJECTS[number % objects]
    data = _REQUIRED.get(name, b'"Name":"Company %016x of Rotterdam"') % (id_ % 2**64)
    value = _VALUE % (id_, name.encode(), number, data, number, b"")
    padded = value.replace(b'"padding":""', b'"padding":"%s"' % (b"x" * max(0, 300 - len(value))))
    return Message(b"company-%08d" % number, padded, [])


async def publish(stage: Stage, records: int, *, objects: int = 1) -> None:
    """Publish the input, once for all runs."""
    slices = (range(first, min(first + _SLICE, records)) for first in range(0, records, _SLICE))
    batches = ([message(number, objects) for number in numbers] for numbers in slices)
    await write(stage, stage.topics.records, batches, compression="lz4")


async def run_salesforce(
    stage: Stage, records: int, kind: Kind, *, held: bool = False, max_age_s: float = MAX_AGE_S
) -> SalesforceRun:
    """Run the writer over the published input; ``held``: no job runs before all are submitted."""
    await rewind(stage)
    async with _vendor(stage) as (vendor, control):
        if held:
            await control.add_fault(HoldJobs(times=None))
        settings = _settings(stage, vendor, kind, records, max_age_s=max_age_s)
        async with running(writer_command(stage, settings)) as writer:
            if held:
                await _submitted(writer, records)
                await control.clear_faults()
                await control.release_jobs()
            end = await committed(writer, stage, stage.writer_group, records)
            peak_rss_bytes = writer.peak_rss_bytes()
        used = await control.used()
    return SalesforceRun(
        kind=kind,
        records=records,
        receipts=await count_receipts(stage),
        cpu_s=end.cpu_s - writer.start.cpu_s,
        seconds=end.at_s - writer.start.at_s,
        peak_rss_bytes=peak_rss_bytes,
        api_requests=used["api_requests"],
        batches=used["batches"],
    )


async def measure_stuck(stage: Stage, records: int, kind: Kind) -> Stuck:
    """Hold the first job, settle all others behind it, kill the writer, and time the next one's first receipt."""
    await rewind(stage)
    async with _vendor(stage) as (vendor, control):
        await control.add_fault(HoldJobs())
        command = writer_command(stage, _settings(stage, vendor, kind, records, max_age_s=QUICK_AGE_S))
        async with running(command) as writer:
            half = await _settled(writer, records // 2)
            await _settled(writer, records - _batch(records))
            peak_rss_bytes = writer.peak_rss_bytes()
            await writer.kill()
        async with stage.new_receipts() as consumer, running(command) as writer:
            async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap_servers) as producer:
                last = message(records, 1)
                await producer.send_and_wait(stage.topics.records, last.value, last.key, partition=0)
            async with asyncio.timeout(60):
                while not await consumer.getmany(timeout_ms=500):
                    writer.check_alive()
            received_at_s = time.time()
            *_, assigned = writer.logged("lanes assigned")
            await control.release_jobs()
            await committed(writer, stage, stage.writer_group, records + 1)
    return Stuck(
        records=records + 1,
        receipts=await count_receipts(stage),
        peak_rss_bytes=peak_rss_bytes,
        first_half_rss_bytes=half,
        first_receipt_s=received_at_s - logged_at(assigned),
    )


async def _submitted(writer: Contender, records: int) -> None:
    while sum(line["items"] for line in writer.logged("batch submitted")) < records:
        writer.check_alive()
        await asyncio.sleep(_POLL_S)


async def _settled(writer: Contender, records: int) -> int:
    """Wait until so many are settled; return the most memory held by then."""
    while sum(line["items"] for line in writer.logged("vendor job collected")) < records:
        writer.check_alive()
        await asyncio.sleep(_POLL_S)
    return writer.peak_rss_bytes()


@asynccontextmanager
async def _vendor(stage: Stage) -> AsyncIterator[_Vendor]:
    with _objects_file(stage) as objects:
        arguments = ("salesforce", "--ledger", "counts", "--objects", str(objects))
        with served(*arguments, python=stage.python) as vendor:
            async with SalesforceControl(vendor.url) as control:
                yield _Vendor(vendor, control)


@contextmanager
def _objects_file(stage: Stage) -> Iterator[Path]:
    path = stage.directory / "objects.json"
    path.write_bytes(_MORE)
    yield path


def _batch(records: int) -> int:
    """Return the records of a batch: the vendor's limit, less for a tiny input."""
    return min(10_000, max(1, records // 10))


def _settings(stage: Stage, vendor: Served, kind: Kind, records: int, *, max_age_s: float = MAX_AGE_S) -> Path:
    secrets = {name: vendor.credentials[name] for name in ("client_id", "client_secret")}
    to = {
        "kind": kind,
        "url": vendor.url,
        "login": {"flow": "client_credentials", **secrets},
        "external_ids": dict.fromkeys(OBJECTS, "Ext__c"),
    }
    # A tiny input never fills a window: its age would be all that is measured.
    window: dict[str, float] = {"max_age_s": max_age_s if records >= TINY else QUICK_AGE_S}
    if kind == "salesforce_bulk1":  # 2.0 has a larger batch of its own
        window["max_items"] = _batch(records)
    return stage.settings_file(vendor, entry={"to": to, "window": window})
