"""Plan a redrive: make each dead letter a record again, or say why that is impossible."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from sluice.client.publisher import RecordTooLarge, check_size
from sluice.dead_letters.editing import Edit, Edited, EditFailed, checked
from sluice.dead_letters.originals import OriginalGone, original_of
from sluice.events import Header, Headers, decode_record
from sluice.headers import redrive_count, refs_of
from sluice.kafka.sending import Message
from sluice.kafka.topic_reader import TopicReader

_KEPT = (Header.SOURCE_TOPIC, Header.SOURCE_PARTITION, Header.SOURCE_OFFSET)


class RedriveRules(NamedTuple):
    """Rules of a redrive: what is changed, and what is left or refused."""

    edit: Edit | None = None
    max_redrives: int = 3
    """A letter whose record was redriven so often is left."""
    fresh: bool = False
    """Forget what was made of the records at the vendor: it stays there, and they are made anew."""
    force: bool = False
    """Send also bytes that are no record event, as they are; they mostly come back. Not together with ``edit``."""


class PlannedRedrive(NamedTuple):
    """A letter and the record that it becomes."""

    letter: ConsumerRecord
    before: bytes | None
    """The letter's payload, before the edit."""
    message: Message


class Refusal(NamedTuple):
    """A letter that cannot be redriven as it is."""

    partition: int
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}: {self.reason}"


class RedrivePlan(NamedTuple):
    """Several letters of one partition, in their order, by what a redrive does with them."""

    partition: int
    to_send: list[PlannedRedrive]
    refused: list[Refusal]
    left_alone: int
    """By the edit's choice."""
    too_often: int
    """Were redriven as often as the rules allow."""
    left_behind: Sequence[ConsumerRecord] = ()
    """Those of which something was made at the vendor that stays, because the rules make them anew."""


async def plan_redrive(
    letters: Sequence[ConsumerRecord], rules: RedriveRules, originals: TopicReader, max_message_bytes: int
) -> RedrivePlan:
    """Plan the redrive of ``letters``, all of one partition. Raises ``MapFailed``, of ``editing``."""
    allowed = [letter for letter in letters if redrive_count(letter.headers) < rules.max_redrives]
    plan = RedrivePlan(letters[0].partition, [], [], left_alone=0, too_often=len(letters) - len(allowed))
    found: list[tuple[ConsumerRecord, Message]] = []
    for letter in allowed:
        try:
            found.append((letter, await original_of(letter, originals)))
        except OriginalGone as error:
            plan.refused.append(_refusal(letter, str(error)))
    edited = await _edited([original.value for _, original in found], rules)
    for (letter, original), after in zip(found, edited, strict=True):
        if isinstance(after, EditFailed):
            plan.refused.append(_refusal(letter, str(after)))
        elif after is not None:
            value = original.value if isinstance(after, _Unchanged) else after
            message = Message(original.key, value, [*original.headers, *_lineage(letter, rules)])
            if too_large := _too_large(message, max_message_bytes):
                plan.refused.append(_refusal(letter, too_large))
            else:
                plan.to_send.append(PlannedRedrive(letter, original.value, message))
    begun = [planned.letter for planned in plan.to_send if rules.fresh and refs_of(planned.letter.headers)]
    return plan._replace(left_alone=edited.count(None), left_behind=begun)


class _Unchanged:
    """An edited payload that is the same as before, which may be null: ``None`` is one to leave alone."""


_UNCHANGED = _Unchanged()


async def _edited(payloads: Sequence[bytes | None], rules: RedriveRules) -> list[Edited | _Unchanged]:
    if rules.edit is None:
        return [_UNCHANGED if rules.force else _unedited(payload) for payload in payloads]
    edited = iter(await rules.edit([payload for payload in payloads if payload is not None]))
    return [_NULL if payload is None else checked(next(edited)) for payload in payloads]


_NULL = EditFailed("expected a RecordEvent as JSON, got a null value; send it as it is with --force and no edit")


def _unedited(payload: bytes | None) -> EditFailed | _Unchanged:
    if payload is None:
        return _NULL
    try:
        decode_record(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return EditFailed(f"expected a RecordEvent as JSON: {error}; edit it, or send it as it is with --force")
    return _UNCHANGED


def _lineage(letter: ConsumerRecord, rules: RedriveRules) -> Headers:
    """Return its source, its refs, and one redrive more, as headers. Attempts and errors are counted anew."""
    names = _KEPT if rules.fresh else (*_KEPT, Header.REFS)
    kept = [(name, value) for name, value in letter.headers if name in names]
    return [*kept, (str(Header.REDRIVE_COUNT), str(redrive_count(letter.headers) + 1).encode())]


def _too_large(message: Message, max_message_bytes: int) -> str:
    """Return why the records topic does not take ``message``, which an edit can have made larger; empty if it does."""
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
