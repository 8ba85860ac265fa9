"""The whole story of one dead letter: its other lives, whether it was redriven, and what has become of it."""

from collections.abc import AsyncIterator

import msgspec
from aiokafka import ConsumerRecord, TopicPartition

from sluice.client.receipts import DeadLetter, Succeeded, read_dead_letter, read_succeeded
from sluice.dead_letters.payloads import PayloadGone, payload_of
from sluice.dead_letters.selection import DeadLetters, Selection, names_of
from sluice.events import Header, Place
from sluice.headers import header_text, redrive_count

MAX_SEARCHED = 500_000
"""Receipts that are looked through for the one of a redriven record; a few seconds."""


class Story(msgspec.Struct, kw_only=True):
    """What is known of a letter."""

    letter: DeadLetter
    payload: bytes | None
    """The record as it was published, also where it stands elsewhere."""
    payload_at: str
    """Where it stands, if elsewhere; empty if not."""
    payload_problem: str = ""
    """Why it cannot be had."""
    redriven: bool
    lives: list[DeadLetter] = []
    """All dead letters of the same record, this one included, in the order in which they were written."""
    succeeded: Succeeded | None = None
    """Its receipt, where a later life was delivered."""
    searched: int = 0
    """Receipts that were looked through for it."""


class NoSuchLetter(Exception):
    """There is no such dead letter, or none any more."""


async def letter_at(dead_letters: DeadLetters, partition: int, offset: int) -> ConsumerRecord:
    """The letter that stands there. Raises :class:`NoSuchLetter`."""
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
    """The newest letter of the event. Raises :class:`NoSuchLetter`."""
    found: ConsumerRecord | None = None
    async for reading in dead_letters.read(Selection()):
        for letter in reading.letters:
            names = names_of(letter.value)
            if names and names.event_id == event_id and (found is None or letter.timestamp >= found.timestamp):
                found = letter
    if found is None:
        raise NoSuchLetter(
            f"no dead letter of the event {event_id!r} in {dead_letters.topics.dead_letters}; "
            "name an event's id, or PARTITION/OFFSET"
        )
    return found


async def tell(dead_letters: DeadLetters, letter: ConsumerRecord) -> Story:
    """The story of ``letter``. Other lives are looked for only where there can be some."""
    read = read_dead_letter(letter)
    story = Story(
        letter=read,
        payload=letter.value,
        payload_at=header_text(letter.headers, Header.PAYLOAD_AT) or "",
        redriven=letter in await dead_letters.redriven(),
        lives=[read],
    )
    try:
        story.payload = await payload_of(letter, dead_letters.reader)
    except PayloadGone as error:
        story.payload_problem = str(error)
    if read.source is not None and (story.redriven or redrive_count(letter.headers)):
        story.lives = [life async for life in _lives(dead_letters, letter.partition, read.source)]
    if read.source is not None and story.redriven:
        await _find_receipt(dead_letters, story, read.source)
    return story


async def _lives(dead_letters: DeadLetters, partition: int, source: Place) -> AsyncIterator[DeadLetter]:
    """Everything that a record causes stays in its lane."""
    offset = str(source.offset).encode()
    async for letters in dead_letters.reader.read(dead_letters.topics.dead_letters, [partition]):
        for letter in letters:
            if (str(Header.SOURCE_OFFSET), offset) in letter.headers:
                life = read_dead_letter(letter)
                if life.source == source:
                    yield life


async def _find_receipt(dead_letters: DeadLetters, story: Story, source: Place) -> None:
    partition, since = story.letter.place.partition, story.letter.written_at
    async for messages in dead_letters.reader.read(dead_letters.topics.succeeded, [partition], since):
        for message in messages:
            story.searched += 1
            if _is_receipt(message, source):
                story.succeeded = read_succeeded(message)
                return
        if story.searched >= MAX_SEARCHED:
            return


def _is_receipt(message: ConsumerRecord, source: Place) -> bool:
    try:
        return _decode_receipt(message.value or b"").source == source
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


class _Receipt(msgspec.Struct):
    source: Place


_decode_receipt = msgspec.json.Decoder(_Receipt).decode
