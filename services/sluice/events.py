"""Events: all values that cross Kafka, as structs and as bytes.

An ``Event`` has a JSON Schema and examples in ``schemas/``. Instants are RFC 3339 in UTC. A field may only be added,
with a default; readers ignore fields that they do not know.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Meta

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete"]

Key = str | dict[str, str] | list[dict[str, str]] | None
"""The name of a record at the vendor.

A string is an id, the vendor's or the publisher's; a mapping holds the fields that identify the record; a list of
mappings holds alternatives; the first that matches counts. ``None`` is for inserts whose id the vendor chooses.
"""

Identifier = Annotated[str, Meta(min_length=1, max_length=256)]
Instant = Annotated[datetime, Meta(tz=True)]
JsonObject = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]


class RecordEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One change to apply, as published to ``<destination>.records``.

    ``data`` stays encoded until a destination needs it: until then it is only transported.
    """

    event_id: Identifier
    object: Identifier
    operation: Operation
    key: Key = None
    data: JsonObject = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    job_id: Identifier | None = None
    occurred_at: Instant


class KafkaRecord(Protocol):
    """A message read from Kafka: the used part of aiokafka's ``ConsumerRecord``."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message's place in Kafka."""

    topic: str
    partition: int
    offset: int


def place_of(record: KafkaRecord) -> Place:
    """Return the place at which ``record`` was read."""
    return Place(topic=record.topic, partition=record.partition, offset=record.offset)


class SucceededEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The receipt of a record that the vendor has taken, or had no need to take. It carries no payload."""

    event_id: str
    object: str
    operation: Operation
    key: Key = None
    job_id: str | None = None
    outcome: Literal["delivered", "skipped"]
    status: str
    """The vendor's own word, for example ``CREATED``."""
    record_id: str | None = None
    """The vendor's id of the record, if it named one."""
    warning: str | None = None
    """The vendor's objection to a record that it took all the same."""
    batch_id: str
    attempt: int = 1
    source: Place
    """The place where the record was published first, also after retries and redrives."""
    occurred_at: Instant
    settled_at: Instant


class Rows(NamedTuple):
    """A run of items of one batch and one topic whose offsets and rows have no gap."""

    topic: int
    """0 is the records topic, 1 the first retry topic, and so on, as in ``schemas/topics.toml``."""
    offset: int
    length: int
    row: int
    """Position of the first item in the batch, from 0; -1 if it was never in one."""


class OpenedJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A batch that the vendor runs as a job, as a later owner of its lanes must know it to find it and collect its
    results."""

    items: int
    """Items of the whole batch, of all its lanes."""
    fingerprint: str
    """A digest of the body as the vendor gets it."""
    key_hashes: str = ""
    """The first 8 bytes of BLAKE2b of each row's ordering key, in the order of ``rows``, in base64: no later record of
    these keys may be sent."""
    traceparent: str = ""
    """The trace context of the submit, if that is sampled."""


class BatchEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the journal: the state of one batch in one lane.

    ``opened`` is committed before a send that must not be repeated and before every vendor job, ``noted`` when a record
    that takes several calls has come so far, ``submitted`` when the vendor has its job, ``settled`` together with the
    receipts; ``withdrawn`` when an opened batch was not sent after all. A batch has several ``settled`` entries when
    its fates become known one after the other, and several of any state when one would be too large; each counts its
    own rows, so readers add them up. Entries without rows, such as ``submitted``, are about all rows that the batch has
    opened in this lane.
    """

    batch_id: str
    state: Literal["opened", "noted", "submitted", "settled", "withdrawn"]
    batch_key: str = msgspec.field(default="", name="group")
    rows: list[Rows] = []
    topic_ids: list[str] = []
    """Kafka's ids of the topics in ``rows``, by the topics' numbers; empty where ``rows`` has none of a topic.

    Offsets of a topic that was deleted mean nothing in another one of its name. Earlier versions named no ids.
    """
    refs: dict[str, str] = {}
    """The vendor's names for it, such as a job id; on an ``opened`` entry without rows: names given before the batch
    can run; on one with rows: the greatest ids that the vendor had shown. On a ``noted`` entry: what is known of its
    record at the vendor."""
    vendor_job: OpenedJob | None = None
    """Set when a batch that becomes a vendor job is opened."""
    counts: dict[str, int] = {}
    """Items of this lane by outcome."""
    jobs: dict[str, dict[str, int]] = {}
    """Items of this lane by job and outcome, for those that belong to a job."""
    body_bytes: int = 0
    """Encoded bytes of the rows, as the vendor got them; those of a vendor job when it is opened."""
    requested_at: Instant | None = None
    vendor_at: Instant | None = None
    """The vendor's own clock when it answered last before the request."""
    answered_at: Instant | None = None
    error: str | None = None


class ControlEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a destination's flood guard: ``stopped`` by a writer, ``running`` again by a person."""

    guard: Literal["stopped", "running"]
    reason: str
    """The writer's count in words, or the person's reason."""
    by: str
    at: Instant


class RedrivenEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run of dead letters, and which of them were redriven; kept in the control topic beside the guard's events."""

    partition: int
    """The partition of the dead-letters topic; the event is in the same partition of the control topic."""
    first_offset: int
    bits: str
    """A hexadecimal number with a bit for each offset that was redriven; the lowest bit is ``first_offset``."""
    topic_id: str = ""
    """Kafka's id of the dead-letters topic: one that is made anew has other letters. Empty in events before 0.2."""


class VendorJobOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's order about a batch that the vendor runs as a job, and what became of it in one lane.

    It stands in the control topic, in the partition of that lane. The lane's owner carries it out and puts the same
    order with its result under the same key. It deletes the key when each record of the batch in this lane has its
    receipt: until then the reason of an ``abort`` is known to whoever collects.
    """

    batch_id: Identifier
    order: Literal["collect", "abort", "attach", "forget"]
    order_id: Identifier
    """The name of this order, the same in all lanes of the batch and in the result."""
    refs: dict[str, str] = {}
    """For ``attach``: the vendor's names for the job that the batch became."""
    reason: str = ""
    by: str
    at: Instant
    result: Literal["done", "failed"] | None = None
    """Absent while nobody has carried it out."""
    message: str = ""
    """The result in words."""

    @property
    def key(self) -> bytes:
        """The message key: an order replaces an earlier one of its kind, and no other."""
        return VENDOR_JOB_KEY + f"{self.batch_id}/{self.order}".encode()


class Header(StrEnum):
    """Names of the headers that Sluice writes. Values are UTF-8 text; all other headers pass through unchanged."""

    ATTEMPT = "sluice.attempt"
    """The number of the attempt at delivery, from 1."""
    NOT_BEFORE = "sluice.not-before"
    """When the retry is due, RFC 3339 in UTC."""
    ERROR_CLASS = "sluice.error.class"
    """``rejected``, ``ambiguous``, ``cancelled``, or ``retryable`` for what was tried too often."""
    ERROR_CODE = "sluice.error.code"
    """The vendor's state or error code, verbatim; ours in lower-case-with-dashes."""
    ERROR_MESSAGE = "sluice.error.message"
    """The vendor's words, cut to fit."""
    ERROR_HTTP_STATUS = "sluice.error.http-status"
    """The status of the response that carried the error."""
    REFS = "sluice.refs"
    """What is known of the record at the vendor, a JSON object of texts: a half-made thing is continued, not made
    again."""
    BATCH_ID = "sluice.batch-id"
    """The batch in which the record was sent last."""
    SOURCE_TOPIC = "sluice.source.topic"
    """The topic to which the record was published first."""
    SOURCE_PARTITION = "sluice.source.partition"
    """Its partition there."""
    SOURCE_OFFSET = "sluice.source.offset"
    """Its offset there."""
    FIRST_FAILURE_AT = "sluice.first-failure-at"
    """When an attempt failed first, RFC 3339 in UTC."""
    REDRIVE_COUNT = "sluice.redrive-count"
    """The number of times that the record was published again from dead letters."""
    CUT = "sluice.cut"
    """Parts that are missing here, because the message would be too large for its topic: ``headers``, ``payload``,
    ``key`` and ``event-key``, separated by commas."""
    ORIGINAL_AT = "sluice.original-at"
    """``topic/partition/offset`` of the message that has these parts."""
    PAYLOAD_AT = "sluice.payload-at"
    """The same in dead letters of earlier versions, which miss their payload alone."""


SLUICE_HEADER = "sluice."
TRACEPARENT = "traceparent"
CutPart = Literal["headers", "payload", "key", "event-key"]
"""A part of a message that can be cut: headers of others, save the trace context; value; message key; event's key."""
NO_REFS: Mapping[str, str] = MappingProxyType({})
MAX_REFS_BYTES = 1024
"""``Header.REFS``; what a vendor has named is small."""
MAX_HEADER_BYTES = 4096
"""All ``sluice.`` headers of a message together; an error message is cut to fit."""

Headers = list[tuple[str, bytes]]
"""Kafka headers. A name may occur more than once; Sluice's own never does."""

EVENTS: tuple[type[msgspec.Struct], ...] = (
    RecordEvent,
    SucceededEvent,
    BatchEvent,
    ControlEvent,
    RedrivenEvent,
    VendorJobOrder,
)
"""Every event with a schema of its own."""

encode_event = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(RecordEvent).decode
decode_succeeded = msgspec.json.Decoder(SucceededEvent).decode
decode_batch = msgspec.json.Decoder(BatchEvent).decode
decode_control = msgspec.json.Decoder(ControlEvent).decode
decode_vendor_job_order = msgspec.json.Decoder(VendorJobOrder).decode
GUARD_KEY = b"guard"
"""The message key of the flood guard's events in the control topic."""
VENDOR_JOB_KEY = b"vendor-job/"
"""Begins the message keys of orders about vendor jobs there."""


def record_data(event: RecordEvent) -> dict[str, Any]:
    """Decode ``event.data``. Raises ``msgspec.ValidationError`` when it is not a JSON object."""
    return _decode_object(event.data)


_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
