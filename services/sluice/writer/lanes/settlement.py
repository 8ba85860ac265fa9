"""Settlements: the messages that a lane writes when fates are known, and the offsets that they settle."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from sluice.destinations.contract import FoldKey
from sluice.events import BatchEvent, Header, KafkaRecord, Place, place_of
from sluice.flow.batch import Batch, Item
from sluice.flow.journal import NO_ROW, rows_of
from sluice.flow.journal_entries import entries_of
from sluice.flow.offsets import OffsetProgress
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import RetryPolicy
from sluice.headers import header_instant, refs_of
from sluice.kafka.sending import Message
from sluice.records import ordering_key
from sluice.writer.lanes.cutting import LETTER_PARTS, RECEIPT_PARTS, RETRY_PARTS, Whole, fit, message_bytes, whole_of
from sluice.writer.lanes.decoding import RECORDS, Undecodable, origin_of
from sluice.writer.lanes.held_bytes import undecodable_bytes
from sluice.writer.lanes.message_limits import MIN_MESSAGE_BYTES, MessageLimits
from sluice.writer.lanes.receipt_messages import (
    MAX_CODE_CHARS,
    Failure,
    Received,
    dead_letter,
    received_message,
    retry,
    succeeded,
)

_DELIVERED, _SKIPPED = Fate.DELIVERED, Fate.SKIPPED
Fates = Sequence[tuple[Item, Outcome]]
"""Items of one batch, in the batch's order, with their outcomes. Plain, because there is one for every record."""


class BatchTimes(NamedTuple):
    """The instants at which a batch's last request left and its answer was complete."""

    requested_at: datetime
    answered_at: datetime


class VendorAnswer(NamedTuple):
    """The fates of items of one batch that belong to one lane, as the vendor has told them."""

    batch: Batch
    fates: Fates
    times: BatchTimes
    on_settled: "Callable[[Settlement], None] | None"
    """Is told when Kafka has their receipts. It must not refer to the items: they leave memory before that. ``None``
    where the vendor can be asked again."""


class Settlement(msgspec.Struct, kw_only=True):
    """One batch, or a part of it, as one lane settles it: messages to write, and offsets settled by that."""

    entries: list[BatchEvent]
    """Its part of the journal: several entries where one would be too large."""
    succeeded: list[Message]
    dead: list[Message]
    dead_by_class: Mapping[Fate, int]
    outcomes: Mapping[tuple[Fate, str], int]
    """Items by fate and code."""
    retries: dict[int, list[Message]]
    """By input topic number; 1 is the first retry topic."""
    offsets: dict[int, list[int]]
    """Settled offsets by input topic number."""
    keys: list[bytes]
    """Ordering keys that are free again."""
    parked_keys: list[bytes]
    """Ordering keys of what goes to a retry topic: they are free when that is settled."""
    held_keys: list[tuple[float, bytes]]
    """Ordering keys that are free from an instant of the monotonic clock on: the vendor may still be at work."""
    published_at_s: list[float]
    """Instants at which the records were published that get their receipt."""
    item_bytes: int
    """The memory of its items, as the buffer counts it, until this is committed."""
    message_bytes: int = 0
    """The memory of its messages, beside that of its items, likewise."""
    on_settled: "Callable[[Settlement], None] | None" = None
    """Is told when this is committed; ``None`` where nothing is lost if it is not: the vendor can be asked again, or it
    has no part in it."""

    @property
    def items(self) -> int:
        """Items that it settles."""
        return sum(len(offsets) for offsets in self.offsets.values())

    def mark_settled(self, progress: Sequence[OffsetProgress]) -> None:
        """Mark its offsets as settled in ``progress``, by input topic number."""
        for number, offsets in self.offsets.items():
            progress[number].settle(offsets)


class SettlementBuilder:
    """Builds settlements: receipts and dead letters for final fates, retries for items with attempts left."""

    def __init__(
        self,
        retries: RetryPolicy,
        limits: MessageLimits,
        inputs: Sequence[str],
        fold_key: FoldKey | None = None,
    ) -> None:
        """``inputs`` names the input topics."""
        self._fold_key = fold_key or bytes
        self._inputs = inputs
        self._retries = retries
        self.limits = limits

    def of_answer(self, answer: VendorAnswer, now: datetime) -> Settlement:
        """Settle the items of ``answer``."""
        batch, fates, times, on_settled = answer
        done: list[Message] = []
        dead: list[Message] = []
        dead_by_class: Counter[Fate] = Counter()
        retried: dict[int, list[Message]] = {}
        keys: list[bytes] = []
        parked_keys: list[bytes] = []
        held_keys: list[tuple[float, bytes]] = []
        published_at_s: list[float] = []
        item_bytes = 0
        batch_id = batch.batch_id
        max_receipt_bytes = self.limits.succeeded
        # A receipt adds no more than that to what its item holds, of which names of headers are counted by characters.
        surely_fits = (max_receipt_bytes - MIN_MESSAGE_BYTES) // 4
        for item, outcome in fates:
            item_bytes += item.held_bytes
            if outcome.fate is _DELIVERED or outcome.fate is _SKIPPED:
                receipt = succeeded(item, outcome, batch_id, now)
                if item.held_bytes > surely_fits and message_bytes(receipt) > max_receipt_bytes:
                    receipt = fit(receipt, max_receipt_bytes, RECEIPT_PARTS, self._whole(item))
                done.append(receipt)
            elif (later := self._retry(item, outcome, batch_id, now)) is not None:
                topic, message = later
                retried.setdefault(topic, []).append(message)
                parked_keys.append(item.order_key)
                continue
            else:
                dead.append(self._dead(received_message(item), _failure(outcome), batch_id, now, self._whole(item)))
                dead_by_class[outcome.fate] += 1
            if item.may_run_until_s:
                held_keys.append((item.may_run_until_s, item.order_key))
            else:
                keys.append(item.order_key)
            published_at_s.append(item.published_at_s)
        entries = entries_of(fates, lambda part: _settled_entry(batch, part, times), self.limits.entry)
        return Settlement(
            entries=entries,
            succeeded=done,
            dead=dead,
            dead_by_class=dead_by_class,
            outcomes=Counter([(outcome.fate, outcome.code[:MAX_CODE_CHARS]) for _, outcome in fates]),
            retries=retried,
            offsets=_offsets_by_topic(entries),
            keys=keys,
            parked_keys=parked_keys,
            held_keys=held_keys,
            published_at_s=published_at_s,
            item_bytes=item_bytes,
            on_settled=on_settled,
        )

    def of_undecodable(
        self, topic: int, undecodable: Sequence[tuple[KafkaRecord, Undecodable]], now: datetime
    ) -> Settlement:
        """Settle messages of input topic number ``topic`` that can be no item; they belong to no batch."""
        dead = [self._dead_undecodable(message, error, now) for message, error in undecodable]
        offsets = [message.offset for message, _ in undecodable]
        parked = [key for one in undecodable if topic != RECORDS and (key := _parked_key(*one)) is not None]
        return Settlement(
            entries=entries_of(undecodable, lambda part: _undecodable_entry(topic, part), self.limits.entry),
            succeeded=[],
            dead=dead,
            dead_by_class={Fate.REJECTED: len(dead)},
            outcomes=Counter([(Fate.REJECTED, error.code) for _, error in undecodable]),
            retries={},
            offsets={topic: offsets},
            keys=[self._fold_key(key) for key in parked],
            parked_keys=[],
            held_keys=[],
            published_at_s=[message.timestamp / 1000 for message, _ in undecodable],
            item_bytes=undecodable_bytes(message for message, _ in undecodable),
        )

    def _retry(self, item: Item, outcome: Outcome, batch_id: str, now: datetime) -> tuple[int, Message] | None:
        """Return the retry topic's number and message, for an item that has another attempt left."""
        if outcome.fate is not Fate.RETRYABLE:
            return None
        if outcome.uses_attempt:
            tier = self._retries.tier(item.attempt, _age_s(item, now))
        else:
            tier = 1 if self._retries.delays_s else None
        if tier is None:
            return None
        due = now + timedelta(seconds=self._retries.delays_s[tier - 1])
        max_bytes = self.limits.retries[tier - 1]
        attempt = item.attempt + outcome.uses_attempt
        whole_retry = retry(received_message(item), _failure(outcome), batch_id, now, due, attempt=attempt)
        message = fit(whole_retry, max_bytes, RETRY_PARTS, self._whole(item))
        return (tier, message) if message_bytes(message) <= max_bytes else None

    def _dead_undecodable(self, message: KafkaRecord, error: Undecodable, now: datetime) -> Message:
        source, attempt = origin_of(message)
        received = Received(message.key, message.value, message.headers, source, attempt, refs_of(message.headers))
        whole = whole_of(message.headers, place_of(message), is_retry=message.topic != self._inputs[RECORDS])
        return self._dead(received, Failure(Fate.REJECTED, error.code, error.message), "", now, whole)

    def _dead(self, received: Received, failure: Failure, batch_id: str, now: datetime, whole: Whole) -> Message:
        letter = dead_letter(received, failure, batch_id, now)
        return fit(letter, self.limits.dead_letters, LETTER_PARTS, whole)

    def _whole(self, item: Item) -> Whole:
        read_at = Place(topic=self._inputs[item.topic], partition=item.lane, offset=item.offset)
        return whole_of(item.headers, read_at, is_retry=item.topic != RECORDS)


def _parked_key(message: KafkaRecord, error: Undecodable) -> bytes | None:
    """Return the ordering key that a retry has parked, although it can be no item any more."""
    if message.key is not None:
        return message.key
    return ordering_key(error.event) if error.event is not None else None


def _age_s(item: Item, now: datetime) -> float:
    """Return how long ago the first attempt at ``item`` failed; 0 for a first attempt."""
    first_failure_at = header_instant(item.headers, Header.FIRST_FAILURE_AT) if item.attempt > 1 else None
    return 0.0 if first_failure_at is None else (now - first_failure_at).total_seconds()


def _failure(outcome: Outcome) -> Failure:
    return Failure(outcome.fate, outcome.code, outcome.message, outcome.http_status)


def _settled_entry(batch: Batch, fates: Fates, times: BatchTimes) -> BatchEvent:
    jobs: dict[str, Counter[Fate]] = {}
    for item, outcome in fates:
        if (job_id := item.event.job_id) is not None:
            jobs.setdefault(job_id, Counter())[outcome.fate] += 1
    return BatchEvent(
        batch_id=batch.batch_id,
        state="settled",
        batch_key=batch.batch_key,
        rows=rows_of([(item.topic, item.offset, item.row) for item, _ in fates]),
        counts=_by_name(Counter([outcome.fate for _, outcome in fates])),
        jobs={job_id: _by_name(counts) for job_id, counts in jobs.items()},
        body_bytes=sum([len(item.encoded.body) for item, _ in fates]),
        requested_at=times.requested_at,
        answered_at=times.answered_at,
    )


def _undecodable_entry(topic: int, undecodable: Sequence[tuple[KafkaRecord, Undecodable]]) -> BatchEvent:
    """Return the entry of messages that belong to no batch."""
    jobs = Counter([job_id for _, error in undecodable if error.event and (job_id := error.event.job_id)])
    return BatchEvent(
        batch_id="",
        state="settled",
        rows=rows_of([(topic, message.offset, NO_ROW) for message, _ in undecodable]),
        counts={Fate.REJECTED.value: len(undecodable)},
        jobs={job_id: {Fate.REJECTED.value: count} for job_id, count in jobs.items()},
    )


def _by_name(counts: Counter[Fate]) -> dict[str, int]:
    return {fate.value: count for fate, count in counts.items()}


def _offsets_by_topic(entries: Sequence[BatchEvent]) -> dict[int, list[int]]:
    """Return the offsets of each input topic that ``entries`` name, rising."""
    offsets: dict[int, list[int]] = {}
    for rows in [rows for entry in entries for rows in entry.rows]:
        offsets.setdefault(rows.topic, []).extend(range(rows.offset, rows.offset + rows.length))
    for of_topic in offsets.values():
        of_topic.sort()
    return offsets
