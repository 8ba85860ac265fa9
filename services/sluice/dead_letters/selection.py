"""The dead letters of a destination: selecting some of them, and reading those.

    async with open_dead_letters("crm", "sluice.yaml") as dead_letters:
        async for letters in dead_letters.read(Selection(codes=("UNKNOWN_FIELD",))):
            ...

A letter that was redriven stays in the topic until retention takes it; by default it is not read again.
"""

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
    """Which dead letters are meant: of each field that is not empty, one value must be the letter's.

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


class Names(msgspec.Struct, gc=False):
    """What a record event is called; its data is not looked at."""

    event_id: str
    object: str
    key: Key = None
    job_id: str | None = None


def names_of(value: bytes | None) -> Names | None:
    """``None`` for bytes that are no record event."""
    try:
        return _decode_names(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class Reading(NamedTuple):
    """Letters of one partition, in their order, and how many of the same fetch were redriven before."""

    letters: list[ConsumerRecord]
    redriven: int


class DeadLetters:
    """The open dead-letters topic of one destination; made by :func:`open_dead_letters`."""

    def __init__(self, topics: DestinationTopics, partitions: int, reader: TopicReader) -> None:
        self.topics = topics
        self.partitions = partitions
        self.reader = reader

    async def redriven(self) -> RedrivenOffsets:
        """What was redriven up to now."""
        return await read_redriven(self.reader, self.topics.control, self.partitions)

    async def read(self, selection: Selection, redriven: RedrivenOffsets | None = None) -> AsyncIterator[Reading]:
        """The letters of ``selection`` that stand there now and are not among ``redriven``."""
        matches = _matcher(selection)
        async for messages in self.reader.read(
            self.topics.dead_letters, range(self.partitions), selection.since or "beginning"
        ):
            letters = [message for message in messages if matches(message)] if matches else messages
            if redriven is None:
                yield Reading(letters, 0)
            else:
                left = redriven.without(letters)
                yield Reading(left, len(letters) - len(left))


@asynccontextmanager
async def open_dead_letters(destination: str, settings: Connectable = SETTINGS_FILE) -> AsyncIterator[DeadLetters]:
    """Raises ``SettingsError``, ``KafkaUnreachable`` and ``TopicsError``."""
    connection = connect(settings)
    topics = connection.topics(destination)
    async with admin_client(connection.kafka) as admin:
        states = await topic_states(admin, [topics.records, topics.dead_letters, topics.control])
    partitions = partition_count(states, destination)
    async with TopicReader(connection.kafka) as reader:
        yield DeadLetters(topics, partitions, reader)


def _matcher(selection: Selection) -> Callable[[ConsumerRecord], bool] | None:
    """Cheapest question first: the time, then headers, then what stands in the value."""
    headers: dict[str, frozenset[bytes | None]] = {
        name.value: frozenset(one.encode() for one in wanted)
        for name, wanted in (
            (Header.ERROR_CLASS, selection.classes),
            (Header.ERROR_CODE, selection.codes),
            (Header.BATCH_ID, selection.batches),
        )
        if wanted
    }
    since_ms = None if selection.since is None else selection.since.timestamp() * 1000
    until_ms = None if selection.until is None else selection.until.timestamp() * 1000
    named = bool(selection.objects or selection.keys or selection.jobs)
    if not headers and since_ms is None and until_ms is None and not named:
        return None

    def matches(message: ConsumerRecord) -> bool:
        if since_ms is not None and message.timestamp < since_ms:
            return False
        if until_ms is not None and message.timestamp >= until_ms:
            return False
        if headers and not _has(message, headers):
            return False
        return not named or _is_named(message, selection)

    return matches


def _has(message: ConsumerRecord, wanted: Mapping[str, frozenset[bytes | None]]) -> bool:
    found = dict(message.headers)
    return all(found.get(name) in values for name, values in wanted.items())


def _is_named(message: ConsumerRecord, selection: Selection) -> bool:
    names = names_of(message.value)
    if selection.keys and not _has_key(message, names, selection.keys):
        return False
    if names is None:
        return not selection.objects and not selection.jobs
    if selection.objects and names.object not in selection.objects:
        return False
    return not selection.jobs or names.job_id in selection.jobs


def _has_key(message: ConsumerRecord, names: Names | None, wanted: tuple[str, ...]) -> bool:
    if names is not None and isinstance(names.key, str) and names.key in wanted:
        return True
    return message.key is not None and message.key in [key.encode() for key in wanted]


_decode_names = msgspec.json.Decoder(Names).decode
