"""A lane's ledger cycle: everything that waits, in one Kafka transaction.

Receipts, dead letters, retries, journal entries and the offsets they settle are committed together or not at all.
While one transaction runs, more settles; the next one takes it all. Idle, the loop waits.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata, RecordMetadata

from sluice.events import BatchEvent, encode_event
from sluice.flow.journal import CommitMetadata, Journal
from sluice.flow.offsets import OffsetProgress
from sluice.topics import DestinationTopics
from sluice.writer.kill_points import AtKillPoint, KillPoint, go_on
from sluice.writer.lanes.receipt_messages import Message
from sluice.writer.lanes.settlement import Settlement

PAUSE_PER_CYCLE = 12
MAX_PAUSE_S = 0.35
"""Between two transactions a lane pauses so many times as long as the last one took, and no longer than this. A
transaction costs about a millisecond of CPU, however little it holds: a busy process makes few that hold much, an idle
one is quick. A lane that was idle does not wait."""


Sent = tuple[Awaitable[RecordMetadata], int]
"""A Kafka batch on its way, and how many messages it holds."""


class LaneLost(Exception):
    """This process may no longer write for the lane: a new owner has fenced it, or Kafka refuses it."""

    def __init__(self, message: str, *, fenced: bool) -> None:
        super().__init__(message)
        self.fenced = fenced


class LaneCommitter:
    """Writes for one lane. Its producer's transactional id is the lane's: who has it last, owns the lane."""

    def __init__(
        self,
        *,
        partition: int,
        producer: AIOKafkaProducer,
        topics: DestinationTopics,
        group_id: str,
        progress: Sequence[OffsetProgress],
        journal: Journal,
        committed: Callable[[Sequence[Settlement], float], None],
        at_kill_point: AtKillPoint = go_on,
    ) -> None:
        """``committed`` is called after each cycle with what it has settled and the seconds it took."""
        self._partition = partition
        self._producer = producer
        self._topics = topics
        self._group_id = group_id
        self._progress = progress
        self._committed = [one.position for one in progress]
        self._journal = journal
        self._on_committed = committed
        self._at_kill_point = at_kill_point
        self._waiting: list[Settlement] = []
        self._entries: list[tuple[BatchEvent | None, asyncio.Future[None]]] = []
        self.confirmed_at_s = time.monotonic()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._pauses_until_s = -math.inf
        self._idle = asyncio.Event()
        self._idle.set()

    def submit(self, settlement: Settlement) -> None:
        """Have ``settlement`` written in the next cycle."""
        self._waiting.append(settlement)
        self._idle.clear()
        self._wake.set()

    def write(self, entry: BatchEvent | None) -> asyncio.Future[None]:
        """Have ``entry``, if any, written in the next cycle; done when that is committed, or :meth:`run` has ended."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entries.append((entry, done))
        self._hurry.set()
        self._idle.clear()
        self._wake.set()
        return done

    async def run(self) -> None:
        """Run cycles until cancelled. Raises :class:`LaneLost`."""
        try:
            while True:
                await self._wake.wait()
                await self._linger()
                self._wake.clear()
                await self._cycle()
                if not self._waiting and not self._entries:
                    self._idle.set()
        except ProducerFenced as error:
            raise LaneLost(f"lane {self._partition} has a new owner", fenced=True) from error
        except KafkaError as error:
            raise LaneLost(f"lane {self._partition} cannot be written: {error!r}", fenced=False) from error

    async def _linger(self) -> None:
        """Under load, let more gather for one transaction; somebody who waits for an entry does not wait for that."""
        pause_s = self._pauses_until_s - time.monotonic()
        if pause_s > 0 and not self._entries:
            self._hurry.clear()
            try:
                async with asyncio.timeout(pause_s):
                    await self._hurry.wait()
            except TimeoutError:
                return

    def close(self) -> None:
        """Release who waits for an entry: no further cycle will run."""
        _release(self._entries)

    async def _cycle(self) -> None:
        started_at_s = time.monotonic()
        taken, self._waiting = self._waiting, []
        entries, self._entries = self._entries, []
        try:
            await self._write(taken, [entry for entry, _ in entries if entry is not None])
        except BaseException:
            self._entries = entries + self._entries
            raise
        ended_at_s = time.monotonic()
        cycle_s = ended_at_s - started_at_s
        self._pauses_until_s = ended_at_s + min(MAX_PAUSE_S, PAUSE_PER_CYCLE * cycle_s)
        self._on_committed(taken, cycle_s)
        _release(entries)

    async def drained(self) -> None:
        """Wait until everything submitted is committed."""
        self._hurry.set()
        await self._idle.wait()

    async def _write(self, taken: Sequence[Settlement], opened: Sequence[BatchEvent]) -> None:
        for settlement in taken:
            for number, settled in settlement.offsets.items():
                self._progress[number].settle(settled)
        after = [progress.position for progress in self._progress]
        # Positions of this cycle's own entries are known only once they are written; what is older suffices.
        metadata = CommitMetadata(journal=self._journal.start).encode()

        await self._producer.begin_transaction()
        # Offsets first, and by themselves: while the coordinator writes down the group, Kafka 4.1 turns away what is
        # produced (as NOT_ENOUGH_REPLICAS, in an eighth of all cycles), and aiokafka tries again 0.1 s later.
        await self._producer.send_offsets_to_transaction(self._offsets(after, metadata), self._group_id)
        written = [*opened, *(one.entry for one in taken)]
        sent: list[Sent] = []
        try:
            await self._send(self._topics.batches, map(_entry_message, written), sent)
            entries = list(sent)
            for topic, messages in self._messages(taken):
                await self._send(topic, messages, sent)
        except (KafkaError, IllegalOperation, AssertionError):
            # aiokafka's words for a transaction that has failed meanwhile; what was sent before knows why.
            await _all_of(future for future, _ in sent)
            raise
        # A message that failed must fail the cycle: committing would leave it out and keep the rest.
        await _all_of(future for future, _ in sent)
        self._at_kill_point(KillPoint.WRITTEN)
        asked_at_s = time.monotonic()
        await self._producer.commit_transaction()
        # Not when the answer was read: a process that is stopped meanwhile reads it when the lane has long moved on.
        self.confirmed_at_s = asked_at_s
        self._at_kill_point(KillPoint.COMMITTED)

        unnoted = iter(written)
        for future, count in entries:
            first = (await future).offset
            for position in range(first, first + count):
                self._journal.wrote(position, next(unnoted))
        self._journal.committed(after)
        self._committed = after

    def _messages(self, taken: Sequence[Settlement]) -> Iterable[tuple[str, Iterable[Message]]]:
        yield self._topics.succeeded, (message for one in taken for message in one.succeeded)
        yield self._topics.dead_letters, (message for one in taken for message in one.dead)
        for number, tier in enumerate(self._topics.retries, start=1):
            yield tier.name, (message for one in taken for message in one.retries.get(number, ()))

    async def _send(self, topic: str, messages: Iterable[Message], sent: list[Sent]) -> None:
        """Send ``messages`` in as few Kafka batches as they fit in, and append each of these to ``sent``."""
        builder = None
        for one in messages:
            if builder is None:
                builder = self._producer.create_batch()
            if builder.append(timestamp=None, key=one.key, value=one.value, headers=one.headers) is None:
                sent.append((await self._submit(builder, topic), builder.record_count()))
                builder = self._producer.create_batch()
                builder.append(timestamp=None, key=one.key, value=one.value, headers=one.headers)
        if builder is not None:
            sent.append((await self._submit(builder, topic), builder.record_count()))

    async def _submit(self, builder: object, topic: str) -> Awaitable[RecordMetadata]:
        future: Awaitable[RecordMetadata] = await self._producer.send_batch(builder, topic, partition=self._partition)
        return future

    def _offsets(self, after: Sequence[int], metadata: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """What to commit: always records, because the metadata stands there; retry topics where they have moved."""
        return {
            TopicPartition(topic, self._partition): OffsetAndMetadata(after[number], metadata if number == 0 else "")
            for number, topic in enumerate(self._topics.inputs)
            if number == 0 or after[number] != self._committed[number]
        }


async def _all_of(writes: Iterable[Awaitable[object]]) -> None:
    """Wait for all of ``writes``, then raise the first failure: none is left behind for the event loop to report."""
    for result in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def _release(entries: Sequence[tuple[BatchEvent | None, asyncio.Future[None]]]) -> None:
    for _, done in entries:
        if not done.done():
            done.set_result(None)


def _entry_message(entry: BatchEvent) -> Message:
    return Message(entry.batch_id.encode(), encode_event(entry), [])
