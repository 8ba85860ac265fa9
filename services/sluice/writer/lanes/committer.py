"""Commit cycles of a lane: everything that waits, in one Kafka transaction.

Receipts, dead letters, retries, journal entries and the offsets they settle are committed together or not at all.
While one transaction runs, more settles; the next one takes it all. Idle, the loop waits.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from sluice.events import BatchEvent, encode_event
from sluice.flow.commits import CommitMetadata
from sluice.kafka.aiokafka_workarounds import is_own_cancel, refusal_of, stop
from sluice.kafka.refusals import describe_refusal
from sluice.kafka.sending import BatchedSends, Message
from sluice.topics import DestinationTopics
from sluice.writer import kill_points
from sluice.writer.kill_points import KillPoint
from sluice.writer.lanes.commit_cycle import CommitCycle
from sluice.writer.lanes.decoding import RECORDS
from sluice.writer.lanes.lane import LaneState
from sluice.writer.lanes.settlement import Settlement

PAUSE_PER_CYCLE = 12
MAX_PAUSE_S = 0.35
"""Between two transactions a lane pauses so many times as long as the last one took, and no longer than this. A
transaction costs about a millisecond of CPU, however little it holds: a busy process makes few that hold much, an idle
one is quick. A lane that was idle does not wait."""


class LaneLost(Exception):
    """This process may no longer write for the lane: a new owner has fenced it, or Kafka refuses it."""

    def __init__(self, message: str, *, fenced: bool) -> None:
        super().__init__(message)
        self.fenced = fenced


class _Entry(NamedTuple):
    """A journal entry that somebody waits for; without an event only the commit is waited for."""

    event: BatchEvent | None
    done: "asyncio.Future[None]"


class LaneCommitter:
    """Writes for one lane. Its producer's transactional id is the lane's: its last owner owns the lane."""

    def __init__(
        self,
        partition: int,
        producer: AIOKafkaProducer,
        topics: DestinationTopics,
        group_id: str,
        state: LaneState,
        newest_ids: Callable[[], Mapping[str, str]],
    ) -> None:
        """``newest_ids`` are what the lane's next owner must know of the vendor."""
        self._partition = partition
        self._producer = producer
        self._topics = topics
        self._group_id = group_id
        self._newest_ids = newest_ids
        self._progress, self._journal, self._topic_ids = state.progress, state.journal, state.topic_ids
        self._committed: list[int | None] = [None] * len(self._progress)
        """By input topic number, the offset that was committed last with the topic's id."""
        self._settlements: list[Settlement] = []
        self._in_cycle: list[Settlement] = []
        self._entries: list[_Entry] = []
        self.confirmed_at_s = time.monotonic()
        """When the last committed cycle asked for its commit."""
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._pauses_until_s = -math.inf
        self._idle = asyncio.Event()
        self._idle.set()
        self._ended = False
        if state.is_strange:
            self._idle.clear()
            self._wake.set()

    def submit(self, settlement: Settlement) -> None:
        """Have ``settlement`` written in the next cycle."""
        self._settlements.append(settlement)
        if self._ended:
            return
        self._idle.clear()
        self._wake.set()

    def write(self, entry: BatchEvent) -> asyncio.Future[None]:
        """Have ``entry`` written in the next cycle; done when that is committed, or :meth:`cycles` has ended."""
        return self._await_cycle(entry)

    def confirm(self) -> asyncio.Future[None]:
        """Find out whether the lane is still ours, by a cycle; done likewise."""
        return self._await_cycle(None)

    async def cycles(self) -> AsyncGenerator[CommitCycle, None]:
        """Run cycles until cancelled, and yield each that is committed. Raises :class:`LaneLost`."""
        try:
            while True:
                await self._wake.wait()
                await self._linger()
                self._wake.clear()
                self._in_cycle, self._settlements = self._settlements, []
                entries = list(self._entries)
                cycle = await self._cycle(self._in_cycle, [entry.event for entry in entries if entry.event is not None])
                # The next cycle may be far away: its predecessor's messages must not wait for it in memory.
                self._in_cycle = []
                yield cycle
                del self._entries[: len(entries)], cycle
                _release(entries)
                del entries
                if not self._settlements and not self._entries:
                    self._idle.set()
        except ProducerFenced as error:
            raise LaneLost(f"lane {self._partition} has a new owner", fenced=True) from error
        except (KafkaError, asyncio.CancelledError) as error:
            if is_own_cancel(error):
                raise
            message = f"lane {self._partition} cannot be written: {describe_refusal(error)}"
            raise LaneLost(message, fenced=False) from error
        finally:
            self._ended = True
            # No further cycle will run: whoever waits for one finds the lane lost or given up.
            self._idle.set()
            _release(self._entries)

    @property
    def unwritten(self) -> Sequence[Settlement]:
        """Settlements that are not known to be committed, once the cycles have ended."""
        return [*self._in_cycle, *self._settlements]

    async def drained(self) -> None:
        """Wait until everything submitted is committed, or the cycles have ended."""
        self._hurry.set()
        await self._idle.wait()

    async def close(self) -> None:
        """Stop the producer. The cycles have ended before."""
        await stop(self._producer)

    def _await_cycle(self, event: BatchEvent | None) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entries.append(_Entry(event, done))
        if self._ended:
            _release(self._entries)
            return done
        self._hurry.set()
        self._idle.clear()
        self._wake.set()
        return done

    async def _linger(self) -> None:
        """Under load, let more gather for one transaction, unless somebody waits for an entry."""
        pause_s = self._pauses_until_s - time.monotonic()
        if pause_s > 0 and not self._entries:
            self._hurry.clear()
            try:
                async with asyncio.timeout(pause_s):
                    await self._hurry.wait()
            except TimeoutError:
                return

    async def _cycle(self, settlements: Sequence[Settlement], events: Sequence[BatchEvent]) -> CommitCycle:
        started_at_s = time.monotonic()
        entries = [*events, *(entry for settlement in settlements for entry in settlement.entries)]
        messages = await self._write(settlements, entries)
        ended_at_s = time.monotonic()
        self._pauses_until_s = ended_at_s + min(MAX_PAUSE_S, PAUSE_PER_CYCLE * (ended_at_s - started_at_s))
        return CommitCycle(settlements, messages, ended_at_s - started_at_s)

    async def _write(self, settlements: Sequence[Settlement], events: Sequence[BatchEvent]) -> int:
        """Commit one transaction; return how many messages it holds."""
        for settlement in settlements:
            settlement.mark_settled(self._progress)
        after = [progress.position for progress in self._progress]
        # Positions of this cycle's own entries are known only once they are written; an older position suffices.
        offsets = self._offsets(after, self._journal.start)

        sends = BatchedSends(self._producer, self._partition)
        try:
            await self._producer.begin_transaction()
            # Offsets first, and by themselves: while the coordinator writes down the group, Kafka 4.1 turns away what
            # is produced (as NOT_ENOUGH_REPLICAS, in an eighth of all cycles), and aiokafka tries again 0.1 s later.
            await self._producer.send_offsets_to_transaction(offsets, self._group_id)
            sent_entries = await sends.send(self._topics.batches, map(self._entry_message, events))
            for topic, messages in self._messages(settlements):
                await sends.send(topic, messages)
            # Before the commit: a message that failed must fail the cycle, a commit would leave it out.
            await sends.confirmed()
            kill_points.at(KillPoint.WRITTEN)
            asked_at_s = time.monotonic()
            await self._producer.commit_transaction()
        except (KafkaError, IllegalOperation, AssertionError) as error:
            raise refusal_of(self._producer, [error, *await sends.failures()]) from error
        # The time of the question, not of the answer: a process that is frozen between them reads the answer when the
        # lane has long moved on.
        self.confirmed_at_s = asked_at_s
        kill_points.at(KillPoint.COMMITTED)

        noted = iter(events)
        for written, count in sent_entries:
            first = (await written).offset
            for position in range(first, first + count):
                self._journal.wrote(position, next(noted))
        self._journal.committed(after)
        self._committed = list(after)
        return sends.messages

    def _messages(self, settlements: Sequence[Settlement]) -> Iterable[tuple[str, Iterable[Message]]]:
        yield self._topics.succeeded, (message for one in settlements for message in one.succeeded)
        yield self._topics.dead_letters, (message for one in settlements for message in one.dead)
        for number, retry_topic in enumerate(self._topics.retries, start=1):
            yield retry_topic.name, (message for one in settlements for message in one.retries.get(number, ()))

    def _offsets(self, after: Sequence[int], journal: int) -> dict[TopicPartition, OffsetAndMetadata]:
        """Return what to commit: always records, because the journal's place stands there; others where they moved."""
        batches_id, newest_ids = self._topic_ids.batches, dict(self._newest_ids())
        return {
            TopicPartition(topic, self._partition): OffsetAndMetadata(
                after[number],
                CommitMetadata(
                    topic_id=self._topic_ids.inputs[number],
                    journal=journal if number == RECORDS else 0,
                    journal_id=batches_id if number == RECORDS else "",
                    newest_ids=newest_ids if number == RECORDS else {},
                ).encode(),
            )
            for number, topic in enumerate(self._topics.inputs)
            if number == RECORDS or after[number] != self._committed[number]
        }

    def _entry_message(self, entry: BatchEvent) -> Message:
        """Return ``entry`` with the ids of the topics in it."""
        named = {rows.topic for rows in entry.rows}
        topic_ids = [
            self._topic_ids.inputs[number] if number in named else "" for number in range(max(named, default=-1) + 1)
        ]
        identified = msgspec.structs.replace(entry, topic_ids=topic_ids)
        return Message(entry.batch_id.encode(), encode_event(identified), [])


def _release(entries: Sequence[_Entry]) -> None:
    for entry in entries:
        if not entry.done.done():
            entry.done.set_result(None)
