"""What becomes of dead letters when they are redriven: each its next life, or the reason why it has none."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from sluice.client.publisher import RecordTooLarge, check_size
from sluice.dead_letters.editing import Edit, Edited, EditFailed, checked
from sluice.dead_letters.payloads import PayloadGone, payload_of
from sluice.events import SLUICE_HEADER, Header, Headers, decode_record
from sluice.headers import redrive_count
from sluice.kafka.sending import Message
from sluice.kafka.topic_reader import TopicReader

_KEPT = (Header.SOURCE_TOPIC, Header.SOURCE_PARTITION, Header.SOURCE_OFFSET)


class NextLife(NamedTuple):
    """A letter as it goes to the records topic again."""

    letter: ConsumerRecord
    before: bytes | None
    """Its payload before the edit."""
    message: Message


class Refusal(NamedTuple):
    """A letter that cannot be redriven as it is."""

    partition: int
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}: {self.reason}"


class Lives(NamedTuple):
    """What becomes of several letters of one partition, in their order."""

    partition: int
    next: list[NextLife]
    refused: list[Refusal]
    left_alone: int
    """By the edit's choice."""
    too_often: int
    """Were redriven as often as is allowed."""


class Rules(NamedTuple):
    """How letters are redriven."""

    edit: Edit | None = None
    max_redrives: int = 3
    """Lives of one record after its first."""
    force: bool = False
    """Whether bytes that are no record event are sent as they are; they mostly come back."""


async def next_lives(
    letters: Sequence[ConsumerRecord], rules: Rules, payloads: TopicReader, max_message_bytes: int
) -> Lives:
    """The next lives of ``letters``, all of one partition. Raises :class:`~sluice.dead_letters.editing.MapFailed`."""
    refused: list[Refusal] = []
    allowed = [letter for letter in letters if redrive_count(letter.headers) < rules.max_redrives]
    found: list[tuple[ConsumerRecord, bytes | None]] = []
    for letter in allowed:
        try:
            found.append((letter, await payload_of(letter, payloads)))
        except PayloadGone as error:
            refused.append(_refusal(letter, str(error)))
    edited = await _edited([value for _, value in found], rules)
    lives: list[NextLife] = []
    left_alone = 0
    for (letter, before), after in zip(found, edited, strict=True):
        if after is None:
            left_alone += 1
        elif isinstance(after, EditFailed):
            refused.append(_refusal(letter, str(after)))
        else:
            message = Message(letter.key, before if isinstance(after, _Same) else after, _headers(letter))
            if too_large := _too_large(message, max_message_bytes):
                refused.append(_refusal(letter, too_large))
            else:
                lives.append(NextLife(letter, before, message))
    return Lives(letters[0].partition, lives, refused, left_alone, len(letters) - len(allowed))


class _Same:
    """A payload whose bytes, which may be null, stay untouched."""


_SAME = _Same()


async def _edited(values: Sequence[bytes | None], rules: Rules) -> list[Edited | _Same]:
    if rules.edit is None:
        return [_SAME if rules.force else _unedited(value) for value in values]
    edited = iter(await rules.edit([value for value in values if value is not None]))
    return [_NULL if value is None else checked(next(edited)) for value in values]


_NULL = EditFailed("expected a RecordEvent as JSON, got a null value; send it as it is with --force and no edit")


def _unedited(value: bytes | None) -> EditFailed | _Same:
    if value is None:
        return _NULL
    try:
        decode_record(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return EditFailed(f"expected a RecordEvent as JSON: {error}; edit it, or send it as it is with --force")
    return _SAME


def _headers(letter: ConsumerRecord) -> Headers:
    """Its own headers, its source, and one redrive more; attempts and errors belong to the life that has ended."""
    kept = [(name, value) for name, value in letter.headers if not name.startswith(SLUICE_HEADER) or name in _KEPT]
    return [*kept, (str(Header.REDRIVE_COUNT), str(redrive_count(letter.headers) + 1).encode())]


def _too_large(message: Message, max_message_bytes: int) -> str:
    """Why the records topic does not take ``message``; it came from there, but an edit can have made it larger."""
    try:
        check_size(message, max_message_bytes)
    except RecordTooLarge as error:
        size_bytes = DefaultRecordBatchBuilder.estimate_size_in_bytes(message.key, message.value, message.headers)
        alone = DefaultRecordBatchBuilder(
            2,
            DefaultRecordBatch.CODEC_LZ4,
            is_transactional=1,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=0,
            batch_size=size_bytes,
        )
        alone.append(0, None, message.key, message.value, message.headers)
        return "" if len(alone.build()) <= max_message_bytes else str(error)
    return ""


def _refusal(letter: ConsumerRecord, reason: str) -> Refusal:
    return Refusal(letter.partition, letter.offset, reason)
