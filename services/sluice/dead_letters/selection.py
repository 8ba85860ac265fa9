"""The dead letters of a destination: select some of them, and read those.

    async with open_dead_letters("crm", "sluice.yaml") as dead_letters:
        async for selected in dead_letters.read(Selection(codes=("UNKNOWN_FIELD",))):
            print(selected.letters)

A letter that was redriven stays in the topic until retention takes it; ``read`` leaves it out where it is told to.
"""

import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from sluice.client.connection import SETTINGS_FILE, Connectable, connect
from sluice.dead_letters.redrive_log import RedrivenOffsets, read_redriven
from sluice.events import Header, Key
from sluice.kafka.topic_admin import admin_client, partition_count, topic_states
from sluice.kafka.topic_reader import TopicReader
from sluice.topics import DestinationTopics


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on dead letters: of each field that is not empty, one value must be the letter's.

    ``objects``, ``keys`` and ``jobs`` never match a letter whose bytes are no record event, save for a message key.
    """

    classes: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """The event's key, or the message key as UTF-8."""
    jobs: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    """The first instant that is too late."""


class RecordNames(msgspec.Struct, gc=False):
    """The names in a record event; its data is not looked at."""

    event_id: str
    object: str
    key: Key = None
    job_id: str | None = None


def names_of(value: bytes | None) -> RecordNames | None:
    """Read the names; ``None`` for bytes that are no record event."""
    try:
        return _decode_names(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class SelectedLetters(NamedTuple):
    """Letters of one partition, in their order."""

    letters: list[ConsumerRecord]
    already_redriven: int
    """Letters of the same fetch that are left out, because they were redriven before."""


class DeadLetters:
    """The open dead-letters topic of one destination; made by :func:`open_dead_letters`."""

    def __init__(self, topics: DestinationTopics, partitions: int, reader: TopicReader) -> None:
        self.topics = topics
        self.partitions = partitions
        self.reader = reader

    async def redriven_offsets(self) -> RedrivenOffsets:
        """Read which letters were redriven up to now. Raises ``TopicsError``."""
        return await read_redriven(self.reader, self.topics, self.partitions)

    async def read(
        self, selection: Selection, redriven: RedrivenOffsets | None = None
    ) -> AsyncIterator[SelectedLetters]:
        """Yield the letters of ``selection`` that stand there now and are not among ``redriven``."""
        matches = _matcher(selection)
        async for messages in self.reader.read(
            self.topics.dead_letters, range(self.partitions), selection.since or "beginning"
        ):
            letters = [message for message in messages if matches(message)] if matches else messages
            left = letters if redriven is None else redriven.without(letters)
            yield SelectedLetters(left, len(letters) - len(left))


@asynccontextmanager
async def open_dead_letters(destination: str, settings: Connectable = SETTINGS_FILE) -> AsyncIterator[DeadLetters]:
    """Open them. Raises ``SettingsError``, ``KafkaUnreachable`` and ``TopicsError``."""
    connection = connect(settings)
    topics = connection.topics(destination)
    async with admin_client(connection.kafka) as admin:
        states = await topic_states(admin, [topics.records, topics.dead_letters, topics.control])
    partitions = partition_count(states, destination)
    async with TopicReader(connection.kafka) as reader:
        yield DeadLetters(topics, partitions, reader)


def _matcher(selection: Selection) -> Callable[[ConsumerRecord], bool] | None:
    """Return a test of ``selection``, the cheapest question first: time, headers, value. ``None`` selects all."""
    if selection == Selection():
        return None
    headers: dict[str, frozenset[bytes | None]] = {
        name.value: frozenset(one.encode() for one in wanted)
        for name, wanted in (
            (Header.ERROR_CLASS, selection.classes),
            (Header.ERROR_CODE, selection.codes),
            (Header.BATCH_ID, selection.batches),
        )
        if wanted
    }
    since_ms = -math.inf if selection.since is None else selection.since.timestamp() * 1000
    until_ms = math.inf if selection.until is None else selection.until.timestamp() * 1000
    named = bool(selection.objects or selection.keys or selection.jobs)

    def matches(message: ConsumerRecord) -> bool:
        return (
            since_ms <= message.timestamp < until_ms
            and (not headers or _has_headers(message, headers))
            and (not named or _has_names(message, selection))
        )

    return matches


def _has_headers(message: ConsumerRecord, wanted: Mapping[str, frozenset[bytes | None]]) -> bool:
    found = dict(message.headers)
    return all(found.get(name) in values for name, values in wanted.items())


def _has_names(message: ConsumerRecord, selection: Selection) -> bool:
    names = names_of(message.value)
    if selection.keys and not _has_key(message, names, selection.keys):
        return False
    if names is None:
        return not selection.objects and not selection.jobs
    if selection.objects and names.object not in selection.objects:
        return False
    return not selection.jobs or names.job_id in selection.jobs


def _has_key(message: ConsumerRecord, names: RecordNames | None, wanted: tuple[str, ...]) -> bool:
    if names is not None and isinstance(names.key, str) and names.key in wanted:
        return True
    return message.key is not None and message.key in [key.encode() for key in wanted]


_decode_names = msgspec.json.Decoder(RecordNames).decode
