"""Carrying out the verdicts on vendor jobs: settle their records, or send them anew.

1. Read the results, and ask again a few times while they do not cover all items.
2. Read the records again from Kafka, a slice at a time, and settle each slice by its results.
3. When all is committed, have the vendor release what it holds open for the job.

A job that never arrived, or was refused as a whole, has its records read likewise, and sent anew. One of which nobody
can tell what it has applied is settled without results: what may be applied twice is tried again.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import NamedTuple

from aiokafka.errors import KafkaError

from sluice.destinations.contract import BatchError, Refused, Unavailable
from sluice.destinations.vendor_jobs import Gone, JobDestination, Over, ResultsGone, ResultsIncomplete
from sluice.flow.batch import Batch, Item, Part
from sluice.flow.lane_job import LaneJob
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import backoff_s
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.refusals import describe_refusal
from sluice.kafka.topic_reader import TopicReader
from sluice.telemetry.spans import Receipt, collect_span, record_receipt_spans
from sluice.topics import DestinationTopics
from sluice.wall_clock import utc_now
from sluice.writer import kill_points
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.kill_points import KillPoint
from sluice.writer.lanes.decoding import Recall
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.settlement import BatchTimes, Fates, VendorAnswer
from sluice.writer.vendor_jobs.job_records import JobRecords
from sluice.writer.vendor_jobs.job_table import Forgotten, Job, JobTable, NotArrived, Unknown, Verdict
from sluice.writer.vendor_jobs.results import cancelled, fates_of, read_results, unknown_fate

log = logging.getLogger(__name__)

RESULTS_GONE = "results-gone"
FORGOTTEN = "forgotten"
MAX_TRIES = 5
"""Questions for results that do not cover all items; they may lag the job's end."""
MAX_PART = 2_000
"""Items of a refused job that are sent anew together: larger ones are cut to this at once, smaller ones into halves."""
RETRY_BASE_S, RETRY_CAP_S = 1.0, 30.0
"""Pauses after Kafka or the vendor has failed."""
IDLE_AFTER_S = 60.0
"""The reader of records is closed when there was nothing to read for so long."""


class Later(NamedTuple):
    """When a verdict can be carried out, by the event loop's clock."""

    at_s: float
    failures: int
    """Tries so far."""
    incomplete: int
    """Tries whose results did not cover all items."""


NOW = Later(0.0, 0, 0)


class Collector:
    """Carries out the verdicts in a table, one after the other."""

    def __init__(
        self,
        destination: JobDestination,
        topics: DestinationTopics,
        table: JobTable,
        make_reader: Callable[[], TopicReader],
        dispatcher: Dispatcher,
    ) -> None:
        """``make_reader`` makes a reader of the input topics."""
        self._destination = destination
        self._topics = topics
        self._table = table
        self._make_reader = make_reader
        self._dispatcher = dispatcher
        self._later: dict[str, Later] = {}
        """By batch id, the jobs whose results could not be had."""

    async def run(self) -> None:
        """Carry out verdicts until cancelled."""
        failures = 0
        while True:
            if not self._table.verdicts:  # some are left when Kafka has failed
                await self._table.judged.wait()
            try:
                async with self._make_reader() as reader:
                    records = JobRecords(self._topics, reader)
                    while await self._is_asked():
                        for job, verdict in self._due():
                            await self._carry_out(job, verdict, records)
                        failures = 0
            except (KafkaError, KafkaUnreachable) as error:
                failures += 1
                delay_s = backoff_s(failures, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, uniform=1.0)
                fields = {"reason": describe_refusal(error), "delay_s": delay_s}
                log.warning("records of a vendor job could not be read again", extra=fields)
                await asyncio.sleep(delay_s)

    async def _is_asked(self) -> bool:
        """Wait until a verdict can be carried out; return whether that was soon enough to keep the reader."""
        self._hurry()
        now_s = asyncio.get_running_loop().time()
        waits = [max(0.0, self._later.get(one, NOW).at_s - now_s) for one in self._table.verdicts]
        self._table.judged.clear()
        if waits and min(waits) == 0.0:
            return True
        try:
            async with asyncio.timeout(min(waits, default=IDLE_AFTER_S)):
                await self._table.judged.wait()
        except TimeoutError:
            return bool(waits)
        return True

    def _hurry(self) -> None:
        """Forget the pauses of verdicts that were passed just now."""
        for batch_id in self._table.hurried:
            self._later.pop(batch_id, None)
        self._table.hurried.clear()

    def _due(self) -> list[tuple[Job, Verdict]]:
        self._table.forget()
        self._hurry()  # what was passed during the wait, too: left until later it would end the pause after a failure
        verdicts, now_s = self._table.verdicts, asyncio.get_running_loop().time()
        self._later = {batch_id: later for batch_id, later in self._later.items() if batch_id in verdicts}
        due = [batch_id for batch_id in verdicts if self._later.get(batch_id, NOW).at_s <= now_s]
        return [(job, verdicts[batch_id]) for batch_id in due if (job := self._table.get(batch_id)) is not None]

    async def _carry_out(self, job: Job, verdict: Verdict, records: JobRecords) -> None:
        batch_id = job.batch_id
        aborted_because = self._table.aborted_because(batch_id)
        if isinstance(verdict, NotArrived) and aborted_because is None and self._must_wait_for_memory(job):
            # All its items come into memory at once, where those that are settled leave slice by slice.
            at_s = asyncio.get_running_loop().time() + RETRY_BASE_S
            self._later[batch_id] = self._later.get(batch_id, NOW)._replace(at_s=at_s)
            self._dispatcher.look()  # it takes no room at the vendor
            return
        try:
            match verdict:
                case Over():
                    await self._collect(job, verdict, aborted_because, records)
                case Forgotten(message):
                    await self._end(job, Outcome(Fate.AMBIGUOUS, FORGOTTEN, message), records)
                case NotArrived() if aborted_because is not None:
                    await self._end(job, cancelled(aborted_because), records)
                case NotArrived():
                    await self._send_anew(job, records)
                case Gone(message):
                    await self._give_up(job, Unknown(RESULTS_GONE, f"the vendor knows it no more: {message}"), records)
                case Unknown():
                    await self._give_up(job, verdict, records)
        except ResultsGone as error:
            await self._give_up(job, Unknown(RESULTS_GONE, str(error)), records)
        except Refused as error:
            if aborted_because is not None:
                await self._end(job, cancelled(aborted_because), records)
            else:
                await self._divide(job, error, records)
        except (ResultsIncomplete, BatchError) as error:
            self._try_again(batch_id, error)
            return
        self._later.pop(batch_id, None)
        if self._table.verdicts.get(batch_id) is verdict:  # else a person has judged meanwhile
            del self._table.verdicts[batch_id]
        self._dispatcher.look()

    def _must_wait_for_memory(self, job: Job) -> bool:
        """Return whether memory is full of what leaves by itself: what waits for its key may wait for ``job``."""
        lanes = self._table.lanes
        return any(lane.is_crowded for lane, _ in job.parts) and lanes.buffer.items > lanes.waiting

    def _try_again(self, batch_id: str, error: Exception) -> None:
        """Ask again later."""
        _, failures, incomplete = self._later.get(batch_id, NOW)
        failures += 1
        delay_s = backoff_s(failures, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, uniform=1.0)
        if isinstance(error, Unavailable):
            delay_s = max(delay_s, error.retry_after_s or 0.0)
        incomplete += isinstance(error, ResultsIncomplete)  # an outage says nothing about the results
        self._later[batch_id] = Later(asyncio.get_running_loop().time() + delay_s, failures, incomplete)
        fields = {"batch_id": batch_id, "error": str(error), "delay_s": delay_s}
        log.warning("results cannot be collected now", extra=fields)

    async def _collect(self, job: Job, over: Over, aborted_because: str | None, records: JobRecords) -> None:
        """Settle all rows of ``job`` by the vendor's results. Raises what ``read_results`` does."""
        may_be_incomplete = self._later.get(job.batch_id, NOW).incomplete >= MAX_TRIES
        known, topic = job.known, self._topics.records
        with collect_span(topic, job.batch_id, known.batch_key, known.traceparent, message_count=job.open) as span:
            sent = partial(records.sent, job)
            results = await read_results(self._destination, job, over, sent, may_be_incomplete=may_be_incomplete)
            rows, destination = job.open, self._destination
            recall = Recall.TO_SETTLE if destination.joins_by == "row" else Recall.TO_ENCODE
            receipts = await self._settle_all(
                job, records, recall, lambda items: fates_of(items, results, over, destination, aborted_because)
            )
            record_receipt_spans(span, topic, receipts)
        await self._close(job)
        counts = {"items": rows - job.open, "processed": over.processed, "failed": over.failed}
        fields = {"batch_id": job.batch_id, "batch_key": known.batch_key, "vendor_job": known.refs, "state": over.word}
        log.info("vendor job collected", extra={**fields, **counts})

    async def _settle_all(
        self, job: Job, records: JobRecords, recall: Recall, judge: Callable[[list[Item]], Fates]
    ) -> list[Receipt]:
        """Settle the rows of ``job``, slice by slice, by the fates that ``judge`` returns; return those for spans."""
        receipts: list[Receipt] = []
        for lane, part in job.parts:
            async with aclosing(records.recalled(lane, part, recall)) as slices:
                async for items in slices:
                    fates = judge(items)
                    receipts += [
                        Receipt(item.traceparent, outcome.fate.value, outcome.code)
                        for item, outcome in fates
                        if item.traceparent is not None
                    ]
                    await self._settle(lane, part, fates)
        return receipts

    async def _settle(self, lane: Lane, part: LaneJob, fates: Fates) -> None:
        kill_points.at(KillPoint.COLLECTED)
        now = utc_now()
        batch = Batch(part.batch_id, part.batch_key, [], 0, "count", 0.0, 0.0)
        lane.settle_rows(part, VendorAnswer(batch, fates, BatchTimes(part.requested_at, now), None), now)
        if lane.is_crowded:
            await lane.committer.confirm()

    async def _end(self, job: Job, outcome: Outcome, records: JobRecords) -> None:
        """Settle all rows of ``job`` alike."""
        await self._settle_all(job, records, Recall.TO_SETTLE, lambda items: [(item, outcome) for item in items])
        await self._close(job)
        fields = {"batch_id": job.batch_id, "vendor_job": job.known.refs, "code": outcome.code}
        log.warning("vendor job given up", extra={**fields, "reason": outcome.message})

    async def _close(self, job: Job) -> None:
        """Have the vendor release ``job`` once its settlements are committed."""
        refs = job.known.refs
        if all(lane.alive for lane, _ in job.parts):
            await asyncio.gather(*(lane.committer.confirm() for lane, _ in job.parts))
        if not refs or not all(lane.alive for lane, _ in job.parts):
            return
        try:
            await self._destination.close(refs)
        except BatchError as error:
            # Whoever sees it later closes it; its results are settled.
            log.warning("vendor job not closed", extra={"vendor_job": refs, "error": str(error)})

    async def _give_up(self, job: Job, verdict: Unknown, records: JobRecords) -> None:
        """Try again what may be applied twice; the rest is ambiguous, and all of it where a person has aborted it."""
        code, message, uses_attempt = verdict
        if self._table.aborted_because(job.batch_id) is not None:
            await self._end(job, Outcome(Fate.AMBIGUOUS, code, message), records)
            return
        await self._settle_all(
            job,
            records,
            Recall.TO_ENCODE,
            lambda items: [(item, unknown_fate(item, code, message, uses_attempt=uses_attempt)) for item in items],
        )

    async def _send_anew(self, job: Job, records: JobRecords) -> None:
        """Have all rows of ``job`` sent as if they had never been: the vendor has none of them."""
        async for items in records.taken_back(job):
            self._dispatcher.add(items)

    async def _divide(self, job: Job, error: Refused, records: JobRecords) -> None:
        """Have the rows of ``job``, which was refused as a whole, sent in parts; reject a single one."""
        if job.known.items == 1:
            outcome = Outcome(Fate.REJECTED, error.code, str(error), None, error.http_status)
            await self._settle_all(job, records, Recall.TO_SETTLE, lambda items: [(item, outcome) for item in items])
            return
        async for items in records.taken_back(job):
            size = MAX_PART if job.known.items > MAX_PART else -(-len(items) // 2)
            parts = [items[at : at + size] for at in range(0, len(items), size)]
            self._dispatcher.put_back([Part(items=part, suspected=1) for part in parts])
