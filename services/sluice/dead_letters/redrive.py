"""Redrives dead letters: publishes them again, to the lane that they came from.

    result = await redrive("sluice.yaml", "crm", Selection(codes=("UNKNOWN_FIELD",)), rate=100)

Each letter is redriven once, whatever is killed at whatever moment: the records and the note of what was redriven
(:mod:`sluice.dead_letters.redrive_log`) are one Kafka transaction. Run an interrupted redrive again to resume it.
Two redrives of one destination at a time end the first of them. A record keeps ``sluice.source.*``, the place of its
first life, and its trace; ``sluice.redrive-count`` counts its lives after the first. ::

    RedriveError          what the message says; run it again, it goes on where it ended
    ├── RedriveTakenOver  another redrive of the destination has begun
    └── RedriveFailed     Kafka has not taken something
    MapFailed             the command that edits failed; from sluice.dead_letters.editing
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError, ProducerFenced

from sluice.client.connection import Connectable, Connection, connect
from sluice.dead_letters.editing import Edit
from sluice.dead_letters.redrive_log import RedrivenOffsets
from sluice.dead_letters.redrive_plan import Lives, Refusal, Rules, next_lives
from sluice.dead_letters.republisher import open_republisher
from sluice.dead_letters.selection import DeadLetters, Selection, open_dead_letters
from sluice.kafka.topic_admin import admin_client, max_message_bytes
from sluice.kafka.topic_reader import TopicReader

MAX_LETTERS = 1000
"""Letters of one transaction."""
MAX_BYTES = 4 * 1024 * 1024
"""Of their values; a larger one goes alone."""
MAX_REFUSALS = 100
"""Refusals that are remembered; the others are counted."""


class RedriveError(Exception):
    """A redrive that did not come to its end."""


class RedriveTakenOver(RedriveError):
    """Another redrive of the same destination has begun."""


class RedriveFailed(RedriveError):
    """Kafka has not taken something."""


class RedriveResult(msgspec.Struct, kw_only=True):
    """What became of the selected letters."""

    sent: int = 0
    already: int = 0
    """Were redriven by an earlier run."""
    too_often: int = 0
    """Were redriven as often as is allowed."""
    left_alone: int = 0
    """By the edit's choice."""
    refused: int = 0
    refusals: list[Refusal] = []
    """The first ``MAX_REFUSALS`` of them."""

    @property
    def selected(self) -> int:
        """All of them."""
        return self.sent + self.already + self.too_often + self.left_alone + self.refused

    def count(self, lives: Lives) -> None:
        """Add what became of some."""
        self.sent += len(lives.next)
        self.too_often += lives.too_often
        self.left_alone += lives.left_alone
        self.refused += len(lives.refused)
        self.refusals += lives.refused[: MAX_REFUSALS - len(self.refusals)]


async def redrive(
    settings: Connectable,
    destination: str,
    selection: Selection,
    *,
    edit: Edit | None = None,
    rate: float | None = None,
    max_redrives: int = 3,
    force: bool = False,
    on_sent: Callable[[RedriveResult], None] = lambda _: None,
    result: RedriveResult | None = None,
) -> RedriveResult:
    """Redrive ``selection``, at most ``rate`` letters a second; ``on_sent`` hears of each transaction.

    The ``result`` that is passed counts along, so that it is known also when this raises.

    Letters that come while it runs, also by what it sends itself, are not redriven. ``force`` also sends bytes that
    are no record event, as they are. Raises the errors above, ``SettingsError``, ``KafkaUnreachable``, ``TopicsError``.
    """
    connection = connect(settings)
    rules = Rules(edit, max_redrives, force)
    result = RedriveResult() if result is None else result
    at_once = MAX_LETTERS if rate is None else max(1, min(MAX_LETTERS, int(rate)))
    try:
        async with _open(destination, connection) as selected, open_republisher(connection, destination) as republisher:
            # Only now: what an earlier redrive left open is ended, one way or the other, and can be read.
            redriven = await selected.dead_letters.redriven()
            began_at_s = time.monotonic()
            async for lives in selected.lives(selection, redriven, rules, result, at_once):
                if lives.next:
                    await republisher.send(lives, redriven)
                result.count(lives)
                on_sent(result)
                if rate is not None:
                    await asyncio.sleep(began_at_s + result.sent / rate - time.monotonic())
    except ProducerFenced as error:
        raise RedriveTakenOver(f"another redrive of {destination} has begun; {_so_far(result)}") from error
    except KafkaError as error:
        raise RedriveFailed(
            f"Kafka has not taken the redrive of {destination}: {error!r}; {_so_far(result)}"
        ) from error
    return result


async def plan(
    settings: Connectable, destination: str, selection: Selection, rules: Rules, result: RedriveResult
) -> AsyncIterator[Lives]:
    """What :func:`redrive` would do, all edits made and checked; ``result`` counts along. Raises as it does."""
    connection = connect(settings)
    async with _open(destination, connection) as selected:
        redriven = await selected.dead_letters.redriven()
        async for lives in selected.lives(selection, redriven, rules, result, MAX_LETTERS):
            result.count(lives)
            yield lives


class _Selected(NamedTuple):
    """Where letters and their payloads are read, and how large a record may be."""

    dead_letters: DeadLetters
    payloads: TopicReader
    max_message_bytes: int

    async def lives(
        self, selection: Selection, redriven: RedrivenOffsets, rules: Rules, result: RedriveResult, at_once: int
    ) -> AsyncIterator[Lives]:
        """What becomes of the letters, some of one partition at a time; those redriven before only count."""
        async for reading in self.dead_letters.read(selection, redriven):
            result.already += reading.redriven
            for letters in _pieces(reading.letters, at_once):
                yield await next_lives(letters, rules, self.payloads, self.max_message_bytes)


@asynccontextmanager
async def _open(destination: str, connection: Connection) -> AsyncIterator[_Selected]:
    async with (
        open_dead_letters(destination, connection) as dead_letters,
        TopicReader(connection.kafka) as payloads,
        admin_client(connection.kafka) as admin,
    ):
        yield _Selected(dead_letters, payloads, await max_message_bytes(admin, dead_letters.topics.records))


def _pieces(letters: Sequence[ConsumerRecord], at_once: int) -> Iterator[list[ConsumerRecord]]:
    """``letters`` in runs of at most ``at_once`` of them and ``MAX_BYTES``."""
    piece: list[ConsumerRecord] = []
    piece_bytes = 0
    for letter in letters:
        letter_bytes = len(letter.value or b"")
        if piece and (len(piece) == at_once or piece_bytes + letter_bytes > MAX_BYTES):
            yield piece
            piece, piece_bytes = [], 0
        piece.append(letter)
        piece_bytes += letter_bytes
    if piece:
        yield piece


def _so_far(result: RedriveResult) -> str:
    return f"{result.sent:,} letters were redriven; run it again, it goes on there"
