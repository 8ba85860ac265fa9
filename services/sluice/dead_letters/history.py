"""The history of one dead letter: whether it was redriven, and every receipt of its record that can be found."""

from collections.abc import AsyncIterator

import msgspec
from aiokafka import ConsumerRecord, TopicPartition

from sluice.client.receipts import DeadLetter, Succeeded, read_dead_letter, read_succeeded
from sluice.dead_letters.originals import OriginalGone, original_of
from sluice.dead_letters.selection import DeadLetters, Selection, names_of
from sluice.events import Header, Place
from sluice.headers import redrive_count
from sluice.kafka.sending import Message

MAX_SEARCHED = 500_000
"""Receipts that are looked through for the one of a redriven record; a few seconds."""


class History(msgspec.Struct, kw_only=True):
    """Everything that is known of a letter."""

    letter: DeadLetter
    original: Message
    """The record as it was read, also where parts of it stand elsewhere."""
    original_problem: str = ""
    """Why it cannot be read; empty if it can."""
    was_redriven: bool
    dead_letters_of_record: list[DeadLetter] = []
    """All dead letters of the same record, this one included, in the order in which they were written."""
    succeeded: Succeeded | None = None
    """The record's receipt, where it was delivered after a redrive."""
    searched: int = 0
    """Receipts that were looked through for that."""


class NoSuchLetter(Exception):
    """There is no such dead letter, or none any more."""


async def letter_at(dead_letters: DeadLetters, partition: int, offset: int) -> ConsumerRecord:
    """Read the letter that stands there. Raises :class:`NoSuchLetter`."""
    topic = dead_letters.topics.dead_letters
    if partition >= dead_letters.partitions:
        raise NoSuchLetter(f"expected a partition below {dead_letters.partitions} of {topic}, got {partition}")
    letter = await dead_letters.reader.at(topic, partition, offset)
    if letter is None:
        [first] = (await dead_letters.reader.beginnings([TopicPartition(topic, partition)])).values()
        raise NoSuchLetter(
            f"no dead letter at {partition}/{offset} of {topic}, whose oldest offset there is {first}; "
            "`sluice dead ls` shows where letters stand"
        )
    return letter


async def letter_of_event(dead_letters: DeadLetters, event_id: str) -> ConsumerRecord:
    """Find the newest letter of the event. Raises :class:`NoSuchLetter`."""
    found: ConsumerRecord | None = None
    async for selected in dead_letters.read(Selection()):
        for letter in selected.letters:
            names = names_of(letter.value)
            if names and names.event_id == event_id and (found is None or letter.timestamp >= found.timestamp):
                found = letter
    if found is None:
        raise NoSuchLetter(
            f"no dead letter of the event {event_id!r} in {dead_letters.topics.dead_letters}; "
            "name an event's id, or PARTITION/OFFSET"
        )
    return found


async def history_of(dead_letters: DeadLetters, letter: ConsumerRecord) -> History:
    """Tell the history of ``letter``. Other receipts of its record are looked for only where there can be some."""
    read = read_dead_letter(letter)
    history = History(
        letter=read,
        original=Message(read.key, read.value, read.headers),
        was_redriven=letter in await dead_letters.redriven_offsets(),
        dead_letters_of_record=[read],
    )
    try:
        history.original = await original_of(letter, dead_letters.reader)
    except OriginalGone as error:
        history.original_problem = str(error)
    if read.source is not None and (history.was_redriven or redrive_count(letter.headers)):
        history.dead_letters_of_record = [
            other async for other in _dead_letters_of(dead_letters, letter.partition, read.source)
        ]
    if read.source is not None and history.was_redriven:
        await _find_receipt(dead_letters, history, read.source)
    return history


async def _dead_letters_of(dead_letters: DeadLetters, partition: int, source: Place) -> AsyncIterator[DeadLetter]:
    """Yield the dead letters of the record that was published at ``source``; all stand in its lane."""
    offset = str(source.offset).encode()
    async for letters in dead_letters.reader.read(dead_letters.topics.dead_letters, [partition]):
        for letter in letters:
            if (str(Header.SOURCE_OFFSET), offset) in letter.headers:
                read = read_dead_letter(letter)
                if read.source == source:
                    yield read


async def _find_receipt(dead_letters: DeadLetters, history: History, source: Place) -> None:
    partition, since = history.letter.place.partition, history.letter.written_at
    async for messages in dead_letters.reader.read(dead_letters.topics.succeeded, [partition], since):
        for message in messages:
            history.searched += 1
            history.succeeded = _receipt_of(message, source)
            if history.succeeded is not None:
                return
        if history.searched >= MAX_SEARCHED:
            return


def _receipt_of(message: ConsumerRecord, source: Place) -> Succeeded | None:
    """Return ``message`` as the receipt of the record at ``source``, if it is that; most are others."""
    try:
        return read_succeeded(message) if _decode_receipt(message.value or b"").source == source else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Receipt(msgspec.Struct):
    source: Place


_decode_receipt = msgspec.json.Decoder(_Receipt).decode
