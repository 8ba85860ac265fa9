"""The AsyncAPI 3.0 document: who sends and receives which message, on which topic, with which headers.

Topics, roles and configuration come from ``topics.toml``; this module adds the messages.
https://www.asyncapi.com/docs/reference/specification/v3.0.0 (read 2026-11)
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from sluice.events import MAX_HEADER_BYTES, TRACEPARENT, Header
from sluice.spec.docstrings import docstrings
from sluice.topics import Catalogue, Topic, catalogue

Document = dict[str, Any]

HEADERS = {Header[name]: meaning for name, meaning in docstrings(Header)}
"""The meaning of each of Sluice's headers."""
CUT = (Header.CUT, Header.ORIGINAL_AT)
RETRY = (Header.ATTEMPT, Header.NOT_BEFORE, Header.FIRST_FAILURE_AT, *CUT)
LETTER = (Header.ATTEMPT, Header.FIRST_FAILURE_AT, Header.REDRIVE_COUNT, *CUT, Header.PAYLOAD_AT)
ALSO = {"control": ("RedrivenEvent", "VendorJobOrder")}
"""Further messages of a channel, after its first."""
SOURCE = (Header.SOURCE_TOPIC, Header.SOURCE_PARTITION, Header.SOURCE_OFFSET)
ERROR = (Header.ERROR_CLASS, Header.ERROR_CODE, Header.ERROR_MESSAGE, Header.ERROR_HTTP_STATUS)


def asyncapi_document(schemas: Mapping[str, str]) -> Document:
    """Return the document; ``schemas`` names each event's schema file, in the folder where the document will stand."""
    topics = catalogue()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sluice",
            "version": version("sluice"),
            "description": (
                "Record events from Kafka into SaaS systems through their bulk APIs, one receipt per record.\n\n"
                "Every destination has these topics, all with the same number of partitions: partition p of each "
                "is lane p, and all that a record causes stays in its lane. A configured prefix may stand in front "
                "of every name. Read receipts with `isolation.level=read_committed`.\n\n"
                "The message key of a record is its ordering key: records that share it are applied in the order in "
                "which they were published. That holds within a partition, so all publishers of a destination choose "
                "partitions by murmur2 of the key, which is Java's partitioner; clients of librdkafka set "
                "`partitioner=murmur2_random`."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {role: _channel(role, topic, topics) for role, topic in topics.topics.items()},
        "operations": _operations(topics),
        "components": {
            "parameters": {"destination": {"description": "The destination's name in the settings, such as `crm`."}},
            "messages": _messages(schemas),
        },
    }


def _channel(role: str, topic: Topic, topics: Catalogue) -> Document:
    delay = f" Delay: {topic.delay_s:g} s." if topic.delay_s is not None else ""
    message = _message_of(role, topic)
    return {
        "address": topic.name,
        "title": role,
        "description": f"Holds: {topic.holds}. Message key: {topic.key}.{delay}",
        "parameters": {"destination": {"$ref": "#/components/parameters/destination"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in (message, *ALSO.get(role, ()))},
        "bindings": {
            "kafka": {
                "partitions": topics.partitions,
                "topicConfiguration": _topic_configuration(topic.config),
                "bindingVersion": "0.5.0",
            }
        },
    }


def _topic_configuration(config: dict[str, str]) -> Document:
    """Return ``config`` as the binding has it: policies as a list, numbers as numbers."""
    return {
        name: value.split(",") if name == "cleanup.policy" else int(value) if value.isdigit() else value
        for name, value in config.items()
    }


def _message_of(role: str, topic: Topic) -> str:
    if topic.delay_s is not None:
        return "Retry"
    return {"dead-letters": "DeadLetter", "results": "ResultRow"}.get(role, topic.holds)


def _operations(topics: Catalogue) -> Document:
    return {
        f"{who}-{verb}-{role}".replace(" ", "-"): {
            "action": verb,
            "channel": {"$ref": f"#/channels/{role}"},
            "summary": f"{who} {verb}s {_message_of(role, topic)}",
            "tags": [{"name": who}],
            "messages": [{"$ref": f"#/channels/{role}/messages/{_message_of(role, topic)}"}],
        }
        for role, topic in topics.topics.items()
        for verb, whos in (("send", topic.producers), ("receive", topic.consumers))
        for who in whos
    }


def _messages(schemas: Mapping[str, str]) -> Document:
    record, succeeded, batch, control, redriven, order = (
        {"$ref": schemas[event]}
        for event in (
            "RecordEvent",
            "SucceededEvent",
            "BatchEvent",
            "ControlEvent",
            "RedrivenEvent",
            "VendorJobOrder",
        )
    )
    return {
        "RecordEvent": _message(
            "A change to apply.",
            record,
            (Header.REFS, Header.REDRIVE_COUNT, *SOURCE),
            "The ordering key; murmur2 of it chooses the partition.",
        ),
        "Retry": _message(
            "A record whose delivery failed for now: the original key and value, untouched.",
            record,
            (*RETRY, *ERROR, Header.REFS, Header.BATCH_ID, Header.REDRIVE_COUNT, *SOURCE),
        ),
        "SucceededEvent": _message(
            "The receipt of a record that the vendor has taken, or had no need to take.", succeeded, CUT
        ),
        "DeadLetter": _message(
            "The receipt of a record that was not delivered: the original key and value, untouched, whatever bytes "
            "they are. Mostly a RecordEvent.",
            {"description": "Any bytes."},
            (*ERROR, *LETTER, Header.REFS, Header.BATCH_ID, *SOURCE),
        ),
        "BatchEvent": _message("What one batch means to one lane.", batch, key="The batch's id."),
        "ControlEvent": _message(
            "What writers and people say of the flood guard; the last one counts.", control, key="What it controls."
        ),
        "RedrivenEvent": _message(
            "Which of a run of dead letters were redriven.",
            redriven,
            key="`redriven/…`, one for each run of dead letters.",
        ),
        "VendorJobOrder": _message(
            "A person's order about a vendor job, and its result in this partition's lane.",
            order,
            key="`vendor-job/…`, one for each batch and kind of order; a null value when the batch is settled there.",
        ),
        "ResultRow": _message("A row that a read or export returned.", {"type": "object"}),
    }


def _message(
    summary: str, payload: Document, headers: Iterable[Header] = (), key: str = "As the record's."
) -> Document:
    return {
        "summary": summary,
        "headers": {
            "type": "object",
            "description": f"Sluice's own, at most {MAX_HEADER_BYTES} bytes together; others pass through unchanged.",
            "properties": {
                **{header.value: {"type": "string", "description": HEADERS[header]} for header in headers},
                TRACEPARENT: {"type": "string", "description": "W3C trace context of the record."},
            },
        },
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}},
    }
