"""Redrive dead letters: publish them again, to the lane that they came from.

    redrive = Redrive("crm", "sluice.yaml", Selection(codes=("UNKNOWN_FIELD",)), RedriveRules())
    async for _ in redrive.run(rate=100):
        print(redrive.progress.sent)

The life of a redriven letter:

1. Select: ``selection`` reads the letters that are meant, and leaves out those that were redriven before.
2. Plan: ``redrive_plan`` makes each a record again, or says why that is impossible; ``originals`` finds what was cut.
3. Edit: ``editing`` changes the record where the rules say so, and it is checked again.
4. Republish: ``republisher`` writes the records to the records topic, in the partition that the letters came from.
5. Note: ``redrive_log`` writes to the control topic that these letters were redriven.

4 and 5 are one Kafka transaction, so each letter is redriven once, whatever is killed at whatever moment; 1 to 3 change
nothing. Run an interrupted redrive again to resume it. A second redrive of a destination ends the first. A record
keeps its trace and ``sluice.source.*``, its place when it was published first; ``sluice.redrive-count`` goes up. ::

    RedriveError          what the message says; run it again to resume
    ├── RedriveTakenOver  another redrive of the destination has begun
    └── RedriveFailed     Kafka has not taken something
    MapFailed             the command that edits failed; from sluice.dead_letters.editing
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError, ProducerFenced

from sluice.client.connection import Connectable, connect
from sluice.dead_letters.redrive_log import RedrivenOffsets
from sluice.dead_letters.redrive_plan import RedrivePlan, RedriveRules, Refusal, plan_redrive
from sluice.dead_letters.republisher import open_republisher
from sluice.dead_letters.selection import DeadLetters, Selection, open_dead_letters
from sluice.headers import cut_parts
from sluice.kafka.topic_admin import admin_client, max_message_bytes
from sluice.kafka.topic_reader import TopicReader

MAX_LETTERS = 1000
"""Letters of one transaction."""
MAX_BYTES = 4 * 1024 * 1024
"""Of their values; a larger one goes alone, and so does one whose original stands elsewhere."""
MAX_REFUSALS = 100
"""Refusals that are remembered; the others are counted."""


class RedriveError(Exception):
    """A redrive that did not come to its end."""


class RedriveTakenOver(RedriveError):
    """A redrive that ended because another one of the same destination has begun."""


class RedriveFailed(RedriveError):
    """A redrive that ended because Kafka has not taken something."""


class RedriveProgress(msgspec.Struct, kw_only=True):
    """Counts of the selected letters by what became of them, or by what would in a plan."""

    sent: int = 0
    already_redriven: int = 0
    """By an earlier redrive."""
    too_often: int = 0
    """Were redriven as often as the rules allow."""
    left_alone: int = 0
    """By the edit's choice."""
    refused: int = 0
    refusals: list[Refusal] = []
    """The first ``MAX_REFUSALS`` of them."""
    left_behind: int = 0
    """Of those sent: something was made of them at the vendor, which stays and is made anew."""

    @property
    def selected(self) -> int:
        """All of them."""
        return self.sent + self.already_redriven + self.too_often + self.left_alone + self.refused

    def add(self, plan: RedrivePlan) -> None:
        """Count the letters of ``plan``."""
        self.sent += len(plan.to_send)
        self.too_often += plan.too_often
        self.left_alone += plan.left_alone
        self.refused += len(plan.refused)
        self.left_behind += len(plan.left_behind)
        self.refusals += plan.refused[: MAX_REFUSALS - len(self.refusals)]


class Redrive:
    """A redrive of the letters that ``selection`` names. Letters that come while it runs are not redriven."""

    def __init__(self, destination: str, settings: Connectable, selection: Selection, rules: RedriveRules) -> None:
        """Raise ``SettingsError``."""
        self._destination = destination
        self._connection = connect(settings)
        self._selection = selection
        self._rules = rules
        self.progress = RedriveProgress()
        """Of the last :meth:`plan` or :meth:`run`, also of one that was interrupted."""

    async def plan(self) -> AsyncIterator[RedrivePlan]:
        """Yield what :meth:`run` would do, with all edits made and checked. Send nothing.

        Raises ``MapFailed``, ``SettingsError``, ``KafkaUnreachable`` and ``TopicsError``.
        """
        self.progress = RedriveProgress()
        async with self._open() as sources:
            redriven = await sources.dead_letters.redriven_offsets()
            async for plan in self._plans(sources, redriven, MAX_LETTERS):
                self.progress.add(plan)
                yield plan

    async def run(self, *, rate: float | None = None) -> AsyncIterator[RedrivePlan]:
        """Send, at most ``rate`` letters a second, and yield what each transaction has done.

        Raises :class:`RedriveError`, and as :meth:`plan` does. Where the loop may be left early, iterate inside
        ``contextlib.aclosing``, so that the clients are closed at once.
        """
        progress = self.progress = RedriveProgress()
        at_once = MAX_LETTERS if rate is None else max(1, min(MAX_LETTERS, int(rate)))
        try:
            async with self._open() as sources, open_republisher(self._destination, self._connection) as republisher:
                # Only now: the republisher's start has ended what an earlier redrive left open, so it can be read.
                redriven = await sources.dead_letters.redriven_offsets()
                began_at_s = time.monotonic()
                async for plan in self._plans(sources, redriven, at_once):
                    if plan.to_send:
                        await republisher.send(plan, redriven)
                    progress.add(plan)
                    yield plan
                    if rate is not None:
                        await asyncio.sleep(began_at_s + progress.sent / rate - time.monotonic())
        except ProducerFenced as error:
            raise RedriveTakenOver(f"another redrive of {self._destination} has begun; {self._so_far()}") from error
        except KafkaError as error:
            raise RedriveFailed(
                f"Kafka has not taken the redrive of {self._destination}: {error!r}; {self._so_far()}"
            ) from error

    async def _plans(self, sources: "_Sources", redriven: RedrivenOffsets, at_once: int) -> AsyncIterator[RedrivePlan]:
        """Yield plans of ``at_once`` letters or fewer; letters that were redriven before are only counted."""
        async for selected in sources.dead_letters.read(self._selection, redriven):
            self.progress.already_redriven += selected.already_redriven
            for letters in _pieces(selected.letters, at_once):
                yield await plan_redrive(letters, self._rules, sources.originals, sources.max_message_bytes)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator["_Sources"]:
        kafka = self._connection.kafka
        async with (
            open_dead_letters(self._destination, self._connection) as dead_letters,
            TopicReader(kafka) as originals,
            admin_client(kafka) as admin,
        ):
            yield _Sources(dead_letters, originals, await max_message_bytes(admin, dead_letters.topics.records))

    def _so_far(self) -> str:
        return f"{self.progress.sent:,} letters were redriven; run it again, it goes on there"


class _Sources(NamedTuple):
    """Readers of letters and of their originals, and the largest record that the records topic takes."""

    dead_letters: DeadLetters
    originals: TopicReader
    max_message_bytes: int


def _pieces(letters: Sequence[ConsumerRecord], at_once: int) -> Iterator[list[ConsumerRecord]]:
    """Yield ``letters`` in pieces of at most ``at_once`` of them and ``MAX_BYTES``."""
    piece: list[ConsumerRecord] = []
    piece_bytes = 0
    for letter in letters:
        letter_bytes = MAX_BYTES if cut_parts(letter.headers) else len(letter.value or b"")
        if piece and (len(piece) == at_once or piece_bytes + letter_bytes > MAX_BYTES):
            yield piece
            piece, piece_bytes = [], 0
        piece.append(letter)
        piece_bytes += letter_bytes
    if piece:
        yield piece
