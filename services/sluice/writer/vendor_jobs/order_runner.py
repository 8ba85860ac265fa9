"""Carrying out the orders of people about vendor jobs, each in the lanes of this process.

1. An order without a result is carried out: the vendor is asked or told, or a verdict is passed.
2. Its result is written: at once where the vendor has told it, else when the last record in the lane has its receipt.
3. When a batch has nothing open in a lane any more, and that is committed, its orders there are deleted.

An order that can be carried out later stands, over restarts: while the vendor is away, or a lost submit is looked for.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Literal, NamedTuple

from aiokafka.errors import KafkaError

from sluice.destinations.contract import Ambiguous, BatchError, Unavailable
from sluice.destinations.vendor_jobs import Gone, JobDestination, JobState, Over, Refs, Running
from sluice.events import VendorJobOrder
from sluice.flow.retry_policy import backoff_s
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.refusals import describe_refusal
from sluice.writer.lanes.lane import Lane
from sluice.writer.vendor_jobs.job_table import Forgotten, Job, JobTable, NotArrived
from sluice.writer.vendor_jobs.order_book import OrderBook

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""Between two looks at orders that wait for something."""
RETRY_BASE_S, RETRY_CAP_S = 1.0, 30.0
"""Pauses after Kafka, or the vendor, has failed."""


class Answer(NamedTuple):
    """The result of an order."""

    result: Literal["done", "failed"]
    message: str


Progress = Answer | str | None
"""An answer for now; or what to say once the records have their receipts; or ``None`` to look again later."""


class OrderRunner:
    """Carries out the orders in a book."""

    def __init__(self, destination: JobDestination, table: JobTable, book: OrderBook) -> None:
        self._destination = destination
        self._table = table
        self._book = book
        self._begun: dict[str, str] = {}
        """By order id, what to say when the batch has nothing open any more."""
        self._answers: dict[str, Answer] = {}
        """By order id, what was answered: the same order for another of our lanes may be read a moment later."""
        self._failures = 0

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        while True:
            self._book.changed.clear()
            try:
                await self._look()
            except (KafkaError, KafkaUnreachable) as error:
                self._failures += 1
                delay_s = backoff_s(self._failures, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, uniform=1.0)
                fields = {"reason": describe_refusal(error), "delay_s": delay_s}
                log.warning("an order about a vendor job could not be answered", extra=fields)
                await asyncio.sleep(delay_s)
            await self._wait()

    async def _wait(self) -> None:
        """Wait until an order comes; not long where there are some: a lane of theirs may become ours."""
        try:
            async with asyncio.timeout(LOOK_S if self._book.orders.all else None):
                await self._book.changed.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        for order_id in {order.order_id: None for _, order in self._book.orders.all}:
            here = [
                (lane, order)
                for number, order in self._book.orders.all
                if order.order_id == order_id and (lane := self._table.lanes.get(number)) is not None
            ]
            if here and here[0][1].batch_id in self._table.under_way:
                continue  # it may become a job any moment
            for lane, order in here:
                if order.batch_id not in lane.jobs.by_batch:
                    await self._end(lane, order)
            # The others, as one: the vendor's job is the same in all lanes.
            if open_ones := [one for one in here if one[1].batch_id in one[0].jobs.by_batch]:
                await self._begin(open_ones)

    async def _end(self, lane: Lane, order: VendorJobOrder) -> None:
        """Answer and delete an order about a batch that has nothing open in ``lane``."""
        await lane.committer.confirm()
        if not lane.alive or order.batch_id in lane.jobs.by_batch:
            return
        if order.result is None:
            if (message := self._begun.get(order.order_id)) is not None:
                answer = Answer("done", message)
            elif (earlier := self._answers.get(order.order_id)) is not None:
                answer = earlier
            elif order.order in ("collect", "forget"):
                answer = Answer("done", "its records have their receipts already")
            else:
                answer = Answer("failed", "it is too late: its records have their receipts, or are sent anew")
            await self._answer([(lane, order)], answer)
        await self._book.delete(lane.partition, order)

    async def _begin(self, orders: Sequence[tuple[Lane, VendorJobOrder]]) -> None:
        """Carry out what is one order in several lanes."""
        waiting = [(lane, order) for lane, order in orders if order.result is None]
        if not waiting or waiting[0][1].order_id in self._begun:
            return
        order = waiting[0][1]
        job = self._table.get(order.batch_id)
        if job is None:
            return
        try:
            progress = self._answers.get(order.order_id) or await self._carry_out(order, job)
        except (Unavailable, Ambiguous) as error:
            # Everything that is asked here may be asked again.
            self._failures += 1
            delay_s = backoff_s(self._failures, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, uniform=1.0)
            fields = {"batch_id": order.batch_id, "order": order.order, "error": str(error), "delay_s": delay_s}
            log.warning("an order about a vendor job waits for the vendor", extra=fields)
            await asyncio.sleep(delay_s)
            return
        except BatchError as error:
            progress = Answer("failed", str(error))
        self._failures = 0
        if isinstance(progress, str):
            self._begun[order.order_id] = progress
        elif progress is not None:
            self._answers[order.order_id] = progress
            await self._answer(waiting, progress)

    async def _answer(self, orders: Sequence[tuple[Lane, VendorJobOrder]], answer: Answer) -> None:
        for lane, order in orders:
            if not lane.alive:
                continue  # its next owner has the order, too
            await self._book.answer(lane.partition, order, *answer)
            fields = {"batch_id": order.batch_id, "order": order.order, "by": order.by, "reason": order.reason}
            said = {"lane": lane.partition, "result": answer.result, "result_message": answer.message}
            log.info("order about a vendor job", extra={**fields, **said})

    async def _carry_out(self, order: VendorJobOrder, job: Job) -> Progress:
        match order.order:
            case "collect":
                return await self._collect(job)
            case "abort":
                return await self._abort(job)
            case "attach":
                return await self._attach(job, order.refs)
            case "forget":
                return await self._forget(job, order)

    async def _collect(self, job: Job) -> Progress:
        done = "its results are collected"
        if (verdict := self._table.verdicts.get(job.batch_id)) is not None:
            self._table.judge(job.batch_id, verdict)  # again, and at once
            return done
        if not job.known.is_submitted:
            return Answer("failed", "its submit has no answer: the writer looks for it; `attach` names its job")
        try:
            state = await self._ask(job.known.refs)
        except BatchError as error:
            return Answer("failed", f"the vendor cannot be asked: {error}")
        if isinstance(state, Over | Gone):
            self._table.judge(job.batch_id, state)
            return done
        return Answer("failed", f"there is nothing to collect yet: {_described(state)}")

    async def _abort(self, job: Job) -> Progress:
        verdict = self._table.verdicts.get(job.batch_id)
        if isinstance(verdict, NotArrived):
            return "it has not arrived at the vendor; its records are dead letters"
        if isinstance(verdict, Over) and verdict.aborted:  # another writer with lanes of it was quicker
            return Answer("done", "the vendor's job has ended early already; what it had applied gets its receipts")
        if verdict is not None:
            return Answer("failed", "it is too late: the vendor's job is over, and is being collected")
        if not job.known.is_submitted:
            return None  # until it is found, or is known not to have arrived
        await self._destination.abort(job.known.refs)
        self._table.ask(job.batch_id)
        return Answer("done", "the vendor has ended its job; what it had applied gets its receipts")

    async def _attach(self, job: Job, refs: Refs) -> Progress:
        if job.known.is_submitted:
            result: Literal["done", "failed"] = "done" if refs.items() <= job.known.refs.items() else "failed"
            return Answer(result, f"it is attached already: {_named(job.known.refs)}")
        if job.batch_id in self._table.verdicts:
            return Answer("failed", "it is too late: it has not arrived, and its records are sent anew")
        names = self._destination.ref_names
        if missing := [name for name in names if name not in refs]:
            return Answer("failed", f"the vendor has one more name for a batch: add --ref {missing[0]}=…")
        if wrong := [name for name in refs if name not in names]:
            return Answer("failed", f"expected {' and '.join(names)} as names of a batch, got {wrong[0]}")
        if any(refs.items() <= other.known.refs.items() for other in self._table if other.batch_id != job.batch_id):
            return Answer("failed", f"{_named(refs)} is another batch of ours")
        state = await self._ask(refs)
        if state is None or isinstance(state, Gone):
            return Answer("failed", f"the vendor does not know {_named(refs)}")
        refs = {**job.known.refs, **refs}  # the journal may know more than the vendor's name for it
        if job.known.is_submitted or job.batch_id in self._table.verdicts:
            return None  # found meanwhile: said at the next look
        await asyncio.gather(*self._table.adopt(job, refs))
        return Answer("done", f"attached to {_named(refs)}: {_described(state)}")

    async def _forget(self, job: Job, order: VendorJobOrder) -> Progress:
        if isinstance(self._table.verdicts.get(job.batch_id), NotArrived):
            return Answer("failed", "it has not arrived at the vendor, and its records are sent anew")
        note = ""
        if job.known.refs:
            try:
                state = await self._ask(job.known.refs)
            except BatchError as error:
                state, note = None, f"; the vendor could not be asked: {error}"
            if isinstance(state, Running):
                return Answer("failed", f"it may still be applied, abort it first: {_described(state)}")
        self._table.judge(job.batch_id, Forgotten(f"{order.by} has given it up: {order.reason}"))
        return f"its records are dead letters of class ambiguous{note}"

    async def _ask(self, refs: Refs) -> JobState | None:
        """Return the state of a vendor job; ``None`` where the vendor does not tell it now."""
        async for _, state in self._destination.poll([refs]):
            return state
        return None


def _named(refs: Refs) -> str:
    return " ".join(f"{name}={value}" for name, value in refs.items())


def _described(state: JobState | None) -> str:
    match state:
        case None:
            return "the vendor does not tell its state now"
        case Gone(message):
            return f"the vendor knows it no more: {message}"
        case Running(word, processed):
            return f"the vendor says {word}, {processed:,} items processed"
        case Over():
            return f"the vendor says {state.word}"
