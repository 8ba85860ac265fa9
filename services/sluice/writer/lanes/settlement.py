"""What a lane has to write when a batch is answered, or when messages turn out to be no record events."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from sluice.events import BatchEvent, Header, KafkaRecord, Place
from sluice.flow.batch import Batch, Item
from sluice.flow.journal import NO_ROW, rows_of
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import RetryPolicy
from sluice.records import ordering_key
from sluice.writer.lanes.decoding import RECORDS, Undecodable, header_text, origin_of, place_of
from sluice.writer.lanes.receipt_messages import (
    Failure,
    Letter,
    Message,
    dead_letter,
    letter_of,
    message_bytes,
    retry,
    succeeded,
    without_payload,
)

_DELIVERED, _SKIPPED = Fate.DELIVERED, Fate.SKIPPED


class Settlement(msgspec.Struct, kw_only=True):
    """What one batch means to one lane: messages to write, offsets that are settled once they are written."""

    entry: BatchEvent
    succeeded: list[Message]
    dead: list[Message]
    dead_by_class: Mapping[str, int]
    outcomes: Mapping[tuple[Fate, str], int]
    """Items by fate and code."""
    retries: dict[int, list[Message]]
    """By input topic number; 1 is the first retry topic."""
    offsets: dict[int, list[int]]
    """Settled offsets by input topic number."""
    keys: list[bytes]
    """Ordering keys that are free again."""
    published_at_s: list[float]
    """When the records were published, for those that have got their receipt."""
    item_bytes: int

    @property
    def items(self) -> int:
        """How many items it settles."""
        return sum(len(offsets) for offsets in self.offsets.values())


Settled = tuple[int, Item, Outcome]
"""An item of a batch with its row there and what became of it. Plain, because there is one for every record."""


class BatchTimes(NamedTuple):
    """When a batch's last request left and when its answer was complete."""

    requested_at: datetime
    answered_at: datetime


class SettlementBuilder:
    """Makes settlements: receipts and dead letters for what is final, retries for what has attempts left."""

    def __init__(self, retries: RetryPolicy, max_message_bytes: int, inputs: Sequence[str]) -> None:
        """``max_message_bytes`` is what the retry and dead-letters topics take; ``inputs`` names the input topics."""
        self._inputs = inputs
        self._retries = retries
        self._max_message_bytes = max_message_bytes

    def batch(self, batch: Batch, rows: Sequence[Settled], times: BatchTimes, now: datetime) -> Settlement:
        """Of the items of ``batch`` that belong to one lane."""
        done: list[Message] = []
        dead: list[Message] = []
        dead_by_class: Counter[str] = Counter()
        retried: dict[int, list[Message]] = {}
        keys: list[bytes] = []
        published_at_s: list[float] = []
        places: list[tuple[int, int, int]] = []
        jobs: dict[str, Counter[Fate]] = {}
        item_bytes = 0
        batch_id = batch.batch_id
        for row, item, outcome in rows:
            places.append((item.topic, item.offset, row))
            item_bytes += len(item.value)
            if (job_id := item.event.job_id) is not None:
                jobs.setdefault(job_id, Counter())[outcome.fate] += 1
            if outcome.fate is _DELIVERED or outcome.fate is _SKIPPED:
                done.append(succeeded(item, outcome, batch_id, now))
            elif (later := self._retry(item, outcome, batch_id, now)) is not None:
                topic, message = later
                retried.setdefault(topic, []).append(message)
                continue  # its key stays parked until the retry is settled
            else:
                read_at = Place(topic=self._inputs[item.topic], partition=item.lane, offset=item.offset)
                dead.append(self._dead(letter_of(item), _failure(outcome), batch_id, now, read_at))
                dead_by_class[outcome.fate.value] += 1
            keys.append(item.order_key)
            published_at_s.append(item.published_at_s)
        outcomes = Counter([(outcome.fate, outcome.code) for _, _, outcome in rows])
        entry = BatchEvent(
            batch_id=batch_id,
            state="settled",
            batch_key=batch.batch_key,
            rows=rows_of(places),
            counts=_by_fate(outcomes),
            jobs={job_id: _by_name(counts) for job_id, counts in jobs.items()},
            body_bytes=batch.body_bytes,
            requested_at=times.requested_at,
            answered_at=times.answered_at,
        )
        return Settlement(
            entry=entry,
            succeeded=done,
            dead=dead,
            dead_by_class=dead_by_class,
            outcomes=outcomes,
            retries=retried,
            offsets=_offsets_by_topic(places),
            keys=keys,
            published_at_s=published_at_s,
            item_bytes=item_bytes,
        )

    def poison(self, topic: int, poisoned: Sequence[tuple[KafkaRecord, Undecodable]], now: datetime) -> Settlement:
        """Of messages of input topic number ``topic`` that can be no item; they belong to no batch."""
        dead = [self._burial(message, poison, now) for message, poison in poisoned]
        offsets = [message.offset for message, _ in poisoned]
        keys = [key for one in poisoned if topic != RECORDS and (key := _key_of_poison(*one)) is not None]
        jobs = Counter([poison.event.job_id for _, poison in poisoned if poison.event and poison.event.job_id])
        return Settlement(
            entry=BatchEvent(
                batch_id="",
                state="settled",
                rows=rows_of([(topic, offset, NO_ROW) for offset in offsets]),
                counts={Fate.REJECTED.value: len(dead)},
                jobs={job_id: {Fate.REJECTED.value: count} for job_id, count in jobs.items() if job_id},
            ),
            succeeded=[],
            dead=dead,
            dead_by_class={Fate.REJECTED.value: len(dead)},
            outcomes=Counter([(Fate.REJECTED, poison.code) for _, poison in poisoned]),
            retries={},
            offsets={topic: offsets},
            keys=keys,
            published_at_s=[message.timestamp / 1000 for message, _ in poisoned],
            item_bytes=sum(len(message.value or b"") for message, _ in poisoned),
        )

    def _retry(self, item: Item, outcome: Outcome, batch_id: str, now: datetime) -> tuple[int, Message] | None:
        """The retry topic's number and message for an item that has another attempt left."""
        if outcome.fate is not Fate.RETRYABLE:
            return None
        tier = self._retries.tier(item.attempt, _age_s(item, now))
        if tier is None:
            return None
        due = now + timedelta(seconds=self._retries.delays_s[tier - 1])
        message = retry(letter_of(item), _failure(outcome), batch_id, now, due)
        return (tier, message) if message_bytes(message) <= self._max_message_bytes else None

    def _burial(self, message: KafkaRecord, poison: Undecodable, now: datetime) -> Message:
        source, attempt = origin_of(message)
        letter = Letter(message.key, message.value, message.headers, source, attempt)
        return self._dead(letter, Failure(Fate.REJECTED, poison.code, poison.message), "", now, place_of(message))

    def _dead(self, letter: Letter, failure: Failure, batch_id: str, now: datetime, read_at: Place) -> Message:
        message = dead_letter(letter, failure, batch_id, now)
        if message_bytes(message) <= self._max_message_bytes:
            return message
        return without_payload(message, read_at)


def _key_of_poison(message: KafkaRecord, poison: Undecodable) -> bytes | None:
    """The ordering key that a message has parked which can be no item any more."""
    if message.key is not None:
        return message.key
    return ordering_key(poison.event) if poison.event is not None else None


def _age_s(item: Item, now: datetime) -> float:
    """How long ago the first attempt at ``item`` failed; 0 for a first attempt."""
    first_failure_at = header_text(item.headers, Header.FIRST_FAILURE_AT) if item.attempt > 1 else None
    try:
        return (now - datetime.fromisoformat(first_failure_at or "")).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def _failure(outcome: Outcome) -> Failure:
    return Failure(outcome.fate, outcome.code, outcome.message, outcome.http_status)


def _by_name(counts: Counter[Fate]) -> dict[str, int]:
    return {fate.value: count for fate, count in counts.items()}


def _by_fate(outcomes: Counter[tuple[Fate, str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for (fate, _), count in outcomes.items():
        counts[fate.value] = counts.get(fate.value, 0) + count
    return counts


def _offsets_by_topic(places: Sequence[tuple[int, int, int]]) -> dict[int, list[int]]:
    """The offsets of each input topic, rising."""
    topics = {topic for topic, _, _ in places}
    return {topic: sorted([offset for number, offset, _ in places if number == topic]) for topic in topics}
