"""Ask Kafka what topics there are, with their ids and our rights: Metadata v12, which aiokafka does not know.

A topic that is deleted and made anew keeps its name and gets another id, so that an offset means nothing without the id
of its topic. Written against aiokafka 0.14.0, whose ``MetadataRequest`` ends at v5: ids came with v10, asking for a
topic without having it made by that with v4, rights with v8. https://kafka.apache.org/protocol#The_Messages_Metadata
(read 2026-11). Kafka answers v12 from 3.1 on.
"""

# aiokafka has no types:
# mypy: allow-subclassing-any

import base64
import random
from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""Kafka's word for no topic id at all."""


class KafkaTooOld(KafkaError):
    """A broker older than Kafka 3.1, whose topics cannot be told from others of the same name."""


class Uuid(AbstractType[str]):
    """A topic id: 16 bytes on the wire, 22 characters as Kafka's own tools print it."""

    @classmethod
    def encode(cls, value: str) -> bytes:
        """Return the bytes of ``value``."""
        return base64.urlsafe_b64decode(f"{value}==")

    @classmethod
    def decode(cls, data: BytesIO) -> str:
        """Read the next 16 bytes."""
        return base64.urlsafe_b64encode(data.read(16)).decode().rstrip("=")


class _MetadataResponse_v12(Response):  # noqa: N801  # as aiokafka names them
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString()),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest_v12(RequestStruct):  # noqa: N801
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse_v12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("name", CompactString()), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataByName(Request[_MetadataRequest_v12]):
    API_KEY = 3

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_MetadataRequest_v12]) -> _MetadataRequest_v12:
        return request_struct_class([(NO_ID, name, {}) for name in self._names], False, True, {})


class TopicDescription(NamedTuple):
    """A topic as a broker describes it; without partitions where ``error_code`` is not 0."""

    error_code: int
    name: str
    topic_id: str
    replicas: list[int]
    """The number of replicas of each partition."""
    authorized_operations: int
    """A bit for each operation that Kafka lets us do, by Kafka's numbers."""


async def describe_topics(client: Any, names: Sequence[str]) -> list[TopicDescription]:
    """Ask any broker that answers for the topics ``names``, with ``client``, an aiokafka consumer or admin client.

    Makes no topic. Raises :class:`KafkaTooOld` and ``KafkaError``.
    """
    failure: KafkaError = UnknownTopicOrPartitionError(f"no broker to ask for {', '.join(names)}")
    brokers = [broker.nodeId for broker in client._client.cluster.brokers()]
    for node_id in random.sample(brokers, len(brokers)):
        try:
            response = await client._client.send(node_id, _MetadataByName(names))
        except NotImplementedError as error:
            raise KafkaTooOld("expected Kafka 3.1 or later: topics have no id in older ones") from error
        except KafkaError as error:
            failure = error
        else:
            return [_description(*topic) for topic in response.topics]
    raise failure


def _description(
    error_code: int,
    name: str,
    topic_id: str,
    _is_internal: bool,
    partitions: Sequence[Sequence[Any]],
    operations: int,
    _tags: object,
) -> TopicDescription:
    return TopicDescription(error_code, name, topic_id, [len(one[4]) for one in partitions], operations)
