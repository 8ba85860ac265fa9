"""Carrying out the verdicts on vendor jobs: settle their records, or send them anew.

1. Read the results, and ask again a few times while they do not cover all items.
2. Read the records again from Kafka, a slice at a time, and settle each slice by its results.
3. When all is committed, have the vendor release what it holds open for the job.

A job that never arrived, or was refused as a whole, has its records read likewise, and sent anew.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from aiokafka import TopicPartition
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
from sluice.writer.vendor_jobs.job_table import Forgotten, Job, JobTable, NotArrived, Unknown, Verdict
from sluice.writer.vendor_jobs.results import cancelled, fates_of, read_results

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
        self._tries: dict[str, int] = {}
        self._not_before_s: dict[str, float] = {}

    async def run(self) -> None:
        """Carry out verdicts until cancelled."""
        failures = 0
        while True:
            await self._table.judged.wait()
            try:
                async with self._make_reader() as reader:
                    while await self._is_asked():
                        for job, verdict in self._due():
                            await self._carry_out(job, verdict, reader)
                        failures = 0
            except (KafkaError, KafkaUnreachable) as error:
                failures += 1
                delay_s = backoff_s(failures, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, uniform=1.0)
                fields = {"reason": describe_refusal(error), "delay_s": delay_s}
                log.warning("records of a vendor job could not be read again", extra=fields)
                await asyncio.sleep(delay_s)

    async def _is_asked(self) -> bool:
        """Wait until a verdict can be carried out; return whether that was soon enough to keep the reader."""
        for batch_id in self._table.hurried:
            self._not_before_s.pop(batch_id, None)
        self._table.hurried.clear()
        now_s = asyncio.get_running_loop().time()
        waits = [max(0.0, self._not_before_s.get(one, 0.0) - now_s) for one in self._table.verdicts]
        self._table.judged.clear()
        if waits and min(waits) == 0.0:
            return True
        try:
            async with asyncio.timeout(min(waits, default=IDLE_AFTER_S)):
                await self._table.judged.wait()
        except TimeoutError:
            return bool(waits)
        return True

    def _due(self) -> list[tuple[Job, Verdict]]:
        self._table.forget()
        now_s = asyncio.get_running_loop().time()
        verdicts = [one for one in self._table.verdicts.items() if self._not_before_s.get(one[0], 0.0) <= now_s]
        found = [(self._table.get(batch_id), verdict) for batch_id, verdict in verdicts]
        return [(job, verdict) for job, verdict in found if job is not None]

    async def _carry_out(self, job: Job, verdict: Verdict, reader: TopicReader) -> None:
        batch_id = job.batch_id
        aborted_because = self._table.aborted_because(batch_id)
        try:
            match verdict:
                case Over():
                    await self._collect(job, verdict, aborted_because, reader)
                case Forgotten(message):
                    await self._settle_all(job, Outcome(Fate.AMBIGUOUS, FORGOTTEN, message), reader)
                case NotArrived() if aborted_because is not None:
                    await self._settle_all(job, cancelled(aborted_because), reader)
                case NotArrived():
                    await self._send_anew(job, reader)
                case Gone(message):
                    await self._give_up(job, Unknown(RESULTS_GONE, f"the vendor knows it no more: {message}"), reader)
                case Unknown():
                    await self._give_up(job, verdict, reader)
        except ResultsGone as error:
            await self._give_up(job, Unknown(RESULTS_GONE, str(error)), reader)
        except Refused as error:
            if aborted_because is not None:
                await self._settle_all(job, cancelled(aborted_because), reader)
            else:
                await self._divide(job, error, reader)
        except (ResultsIncomplete, BatchError) as error:
            self._try_again(batch_id, error)
            return
        self._tries.pop(batch_id, None)
        self._not_before_s.pop(batch_id, None)
        if self._table.verdicts.get(batch_id) is verdict:  # else a person has judged meanwhile
            del self._table.verdicts[batch_id]
        self._dispatcher.look()

    def _try_again(self, batch_id: str, error: Exception) -> None:
        """Ask again later."""
        tries = self._tries[batch_id] = self._tries.get(batch_id, 0) + 1
        delay_s = backoff_s(tries, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, uniform=1.0)
        if isinstance(error, Unavailable):
            delay_s = max(delay_s, error.retry_after_s or 0.0)
        self._not_before_s[batch_id] = asyncio.get_running_loop().time() + delay_s
        fields = {"batch_id": batch_id, "error": str(error), "delay_s": delay_s}
        log.warning("results cannot be collected now", extra=fields)

    async def _collect(self, job: Job, over: Over, aborted_because: str | None, reader: TopicReader) -> None:
        """Settle all rows of ``job`` by the vendor's results. Raises what ``read_results`` does."""
        may_be_incomplete = self._tries.get(job.batch_id, 0) >= MAX_TRIES
        known, topic = job.known, self._topics.records
        with collect_span(topic, job.batch_id, known.batch_key, known.traceparent, message_count=job.open) as span:
            results = await read_results(self._destination, job, over, may_be_incomplete=may_be_incomplete)
            receipts: list[Receipt] = []
            settled = 0
            recall = Recall.TO_SETTLE if self._destination.joins_by == "row" else Recall.TO_ENCODE
            for lane, part in job.parts:
                async with aclosing(self._recalled(lane, part, reader, recall)) as slices:
                    async for items in slices:
                        fates = fates_of(items, results, over, self._destination, aborted_because)
                        settled += len(fates)
                        receipts += [
                            Receipt(item.traceparent, outcome.fate.value, outcome.code)
                            for item, outcome in fates
                            if item.traceparent is not None
                        ]
                        await self._settle(lane, part, fates)
            record_receipt_spans(span, topic, receipts)
        await self._close(job)
        counts = {"items": settled, "processed": over.processed, "failed": over.failed}
        fields = {"batch_id": job.batch_id, "batch_key": known.batch_key, "vendor_job": known.refs, "state": over.word}
        log.info("vendor job collected", extra={**fields, **counts})

    async def _settle(self, lane: Lane, part: LaneJob, fates: Fates) -> None:
        kill_points.at(KillPoint.COLLECTED)
        now = utc_now()
        batch = Batch(part.batch_id, part.batch_key, [], 0, "count", 0.0, 0.0)
        lane.settle_rows(part, VendorAnswer(batch, fates, BatchTimes(part.requested_at, now), None), now)
        if lane.is_crowded:
            await lane.committer.confirm()

    async def _settle_all(self, job: Job, outcome: Outcome, reader: TopicReader) -> None:
        """Settle all rows of ``job`` alike."""
        for lane, part in job.parts:
            async with aclosing(self._recalled(lane, part, reader, Recall.TO_SETTLE)) as slices:
                async for items in slices:
                    await self._settle(lane, part, [(item, outcome) for item in items])
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

    async def _send_anew(self, job: Job, reader: TopicReader) -> None:
        """Have all rows of ``job`` sent as if they had never been: the vendor has none of them."""
        async for items in self._taken_back(job, reader):
            self._dispatcher.add(items)

    async def _divide(self, job: Job, error: Refused, reader: TopicReader) -> None:
        """Have the rows of ``job``, which was refused as a whole, sent in parts; reject a single one."""
        outcome = Outcome(Fate.REJECTED, error.code, str(error), None, error.http_status)
        async for items in self._taken_back(job, reader):
            if job.known.items == 1:
                self._answer(job, items, lambda _: outcome)
                continue
            size = MAX_PART if job.known.items > MAX_PART else -(-len(items) // 2)
            parts = [items[at : at + size] for at in range(0, len(items), size)]
            self._dispatcher.put_back([Part(items=part, suspected=1) for part in parts])

    async def _give_up(self, job: Job, verdict: Unknown, reader: TopicReader) -> None:
        """Send anew what may be applied twice; the rest is ambiguous, and all of it where a person has aborted it."""
        if self._table.aborted_because(job.batch_id) is not None:
            await self._settle_all(job, Outcome(Fate.AMBIGUOUS, verdict.code, verdict.message), reader)
            return
        async for items in self._taken_back(job, reader):
            self._dispatcher.add([item for item in items if item.encoded.replay_safe])
            unsafe = [item for item in items if not item.encoded.replay_safe]
            self._answer(job, unsafe, lambda _: Outcome(Fate.AMBIGUOUS, verdict.code, verdict.message))

    def _answer(self, job: Job, items: list[Item], outcome_of: Callable[[Item], Outcome]) -> None:
        """Settle ``items``, which are no rows of ``job`` any more."""
        now, known = utc_now(), job.known
        batch = Batch(known.batch_id, known.batch_key, [], 0, "count", 0.0, 0.0)
        for lane, _ in job.parts:
            own = [(item, outcome_of(item)) for item in items if item.lane == lane.partition]
            if own and lane.alive:
                lane.settle(VendorAnswer(batch, own, BatchTimes(known.requested_at, now), None), now)

    async def _taken_back(self, job: Job, reader: TopicReader) -> AsyncIterator[list[Item]]:
        """Take the rows of ``job`` out of the journal, and yield its items, read again, slice by slice."""
        for lane, part in job.parts:
            if not lane.alive:
                continue
            if coming := lane.jobs.drop_coming(part):
                lane.journal.withdraw_rows(part.batch_id, part.batch_key, coming)
            async with aclosing(self._recalled(lane, part, reader, Recall.TO_ENCODE)) as slices:
                async for items in slices:
                    places = [(item.topic, item.offset, item.row) for item in items]
                    lane.journal.withdraw_rows(part.batch_id, part.batch_key, places)
                    lane.jobs.remove(part, {items[0].topic: [item.offset for item in items]})
                    yield items

    async def _recalled(
        self, lane: Lane, part: LaneJob, reader: TopicReader, recall: Recall
    ) -> AsyncGenerator[list[Item], None]:
        """Yield the items of the open rows of ``part``, as long as its lane is ours."""
        for topic, rows in sorted(part.rows.items()):
            runs = list(rows.open.runs())
            if not runs:
                continue
            place = TopicPartition(self._topics.inputs[topic], lane.partition)
            wanted = rows.open.stretches(range(runs[0].start, runs[-1].stop))
            async with aclosing(reader.read_ranges(place, wanted)) as pieces:
                async for looked_at, messages in pieces:
                    if not lane.alive:
                        return
                    if items := lane.recall_rows(part, topic, messages, looked_at, recall):
                        yield items
