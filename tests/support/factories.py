"""Builders for the values that tests need; an argument that a test leaves out does not matter to it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from sluice.destinations.contract import Account
from sluice.events import Key, Operation, Place, RecordEvent, Rows, encode_event
from sluice.flow.batch import Batch, Encoded, InDoubt, Item
from sluice.flow.commits import Log, Start
from sluice.flow.lane_job import LaneJob
from sluice.flow.outcome import Fate, Outcome
from sluice.writer.lanes.message_limits import MessageLimits

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
INPUT_TOPICS = ("crm.records", "crm.retries.30s", "crm.retries.2m")
LIMITS = MessageLimits(
    succeeded=1_000_000, dead_letters=1_000_000, retries=(1_000_000,) * 2, batches=1_000_000, results=1_000_000
)
DELIVERED = Outcome(Fate.DELIVERED, "CREATED", record_id="v-1")
AMBIGUOUS = Outcome(Fate.AMBIGUOUS, "no-answer")


def record(
    object_: str = "group/company",
    operation: Operation = "upsert",
    key: Key = "c-1",
    data: object = None,
    *,
    event_id: str | None = None,
    job_id: str | None = None,
) -> RecordEvent:
    """Make a record event; ``data`` is encoded as JSON unless it is ``bytes``."""
    return RecordEvent(
        event_id=event_id or f"e-{key}",
        object=object_,
        operation=operation,
        key=key,
        data=msgspec.Raw(data if isinstance(data, bytes) else msgspec.json.encode({} if data is None else data)),
        job_id=job_id,
        occurred_at=NOON,
    )


class FakeMessage(msgspec.Struct, kw_only=True):
    """The fields of aiokafka's ``ConsumerRecord`` that are used."""

    topic: str = INPUT_TOPICS[0]
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_767_355_200_000
    key: bytes | None = b"k"
    value: bytes | None = b"{}"
    headers: Sequence[tuple[str, bytes]] = ()


def record_message(offset: int, event: RecordEvent | None = None, *, topic: int = 0, lane: int = 0) -> FakeMessage:
    """Make a message as a publisher sends it; without ``event``, one whose key is its offset."""
    event = record(key=str(offset)) if event is None else event
    key = event.key.encode() if isinstance(event.key, str) else None
    return FakeMessage(topic=INPUT_TOPICS[topic], partition=lane, offset=offset, key=key, value=encode_event(event))


def starts_at(*offsets: int, topic_ids: Sequence[str] = ("", "", "", "", "")) -> list[Start]:
    """Begin each input topic at its committed offset, far below the log's end."""
    return [
        Start(Log(topic_id, 0, 10_000_000), offset, "committed", offset)
        for topic_id, offset in zip(topic_ids, offsets, strict=False)
    ]


def make_item(
    offset: int = 0,
    *,
    key: str | None = None,
    batch_key: str = "company",
    body: bytes = b"{}",
    lane: int = 0,
    topic: int = 0,
    replay_safe: bool = True,
    attempt: int = 1,
    job_id: str | None = None,
    identity: object = None,
    in_doubt: InDoubt | None = None,
    event: RecordEvent | None = None,
    encoded: Encoded | None = None,
) -> Item:
    """Make an item whose key is its lane and offset unless ``key`` or ``event`` names it."""
    name = f"{lane}-{offset}" if key is None else key
    event = event or record(key=name, job_id=job_id)
    return Item(
        event=event,
        identifier=f"{lane}-{offset}",
        encoded=encoded or Encoded(batch_key, name if identity is None else identity, body, replay_safe),
        source=Place(topic=INPUT_TOPICS[0], partition=lane, offset=offset),
        lane=lane,
        topic=topic,
        offset=offset,
        order_key=name.encode(),
        published_at_s=float(offset),
        key=name.encode(),
        value=encode_event(event),
        headers=[],
        attempt=attempt,
        held_bytes=len(encode_event(event)),
        in_doubt=in_doubt,
    )


def make_items(count: int, *, lane: int = 0) -> list[Item]:
    """Make items of the offsets from 0."""
    return [make_item(offset, lane=lane) for offset in range(count)]


def make_batch(items: Iterable[Item], batch_id: str = "batch-1") -> Batch:
    """Make a batch of ``items``, of which there is at least one."""
    items = list(items)
    for row, item in enumerate(items):
        item.row = row
    body_bytes = len(b",".join(item.encoded.body for item in items))
    return Batch(batch_id, items[0].encoded.batch_key, items, body_bytes, "count", 0.0, 0.0)


def make_lane_job(
    *rows: Rows,
    batch_id: str = "batch-1",
    items: int = 10,
    refs: dict[str, str] | None = None,
    hash_at: Callable[[int], int] = int,
) -> LaneJob:
    """Make a vendor job with ``rows``, the hash of whose keys is that at their offset; submitted if it has ``refs``."""
    job = LaneJob(
        batch_id=batch_id,
        batch_key="company",
        items=items,
        fingerprint="f",
        requested_at=NOON,
        vendor_at=None,
        lost_at_s=0.0,
        refs=refs or {},
        is_submitted=refs is not None,
    )
    for one in rows:
        job.add(one, [hash_at(offset) for offset in range(one.offset, one.offset + one.length)])
    return job


def encode_batch(destination: Account, events: Iterable[RecordEvent]) -> Batch:
    """Make a batch of ``events`` for ``destination``, with the identifiers ``0-0``, ``0-1``, …"""
    return make_batch(
        make_item(row, event=event, encoded=destination.encode(event, f"0-{row}")) for row, event in enumerate(events)
    )


def send_now() -> None:
    """Let every request leave, as a pre-send check: no lane of a test changes hands."""
