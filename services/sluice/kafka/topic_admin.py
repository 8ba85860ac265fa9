"""Make the topics of a destination, and check that those that exist can be used together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError, TopicAlreadyExistsError, for_code

from sluice.kafka.aiokafka_workarounds import stop
from sluice.kafka.clients import KafkaUnreachable, client_options, start, unreachable
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_ids import NO_ID, KafkaTooOld, TopicDescription, describe_topics
from sluice.kafka.topic_rights import Right, Rights, rights_of
from sluice.topics import catalogue, topic_configs, topics_of

CONNECT_TIMEOUT_S = 15.0
"""Longest wait for a broker to answer an admin client."""
DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default of ``max.message.bytes``, for when it does not tell us."""

_CREATE_TIMEOUT_S = 30.0
_POLL_S = 0.05


class TopicsError(Exception):
    """Topics that are missing, have unequal partition counts, or cannot be made as asked for."""


class TopicState(NamedTuple):
    """One topic of a destination as Kafka has it; ``partitions`` is 0 where there is no such topic."""

    name: str
    partitions: int
    replication_factor: int
    topic_id: str = NO_ID
    """Kafka's own id, in its own form: another one when the topic is deleted and made anew."""
    rights: Rights = frozenset(Right)
    """What this client may do; none for a topic that it may not see, whether there is one or not."""


@asynccontextmanager
async def admin_client(settings: KafkaSettings) -> AsyncIterator[Any]:
    """Open an admin client. Raises :class:`KafkaUnreachable`, also when nobody answers in time."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await start(admin, settings)
    except TimeoutError as error:
        raise KafkaUnreachable(
            settings.bootstrap_servers,
            f"no answer within {CONNECT_TIMEOUT_S:.0f} s; check kafka.bootstrap_servers, the network, and Kafka",
        ) from error
    try:
        yield admin
    except (NodeNotReadyError, KafkaConnectionError) as error:  # a broker that the first one has named
        raise await unreachable(settings, error) from error
    finally:
        await stop(admin)


async def topic_states(admin: Any, names: Sequence[str]) -> list[TopicState]:
    """Return what Kafka has of ``names``, in their order. Raises ``KafkaError`` and :class:`TopicsError`."""
    try:
        found = {topic.name: topic for topic in await describe_topics(admin, names)}
    except KafkaTooOld as error:
        raise TopicsError(str(error)) from error
    return [_state(found[name]) for name in names]


def partition_count(states: Sequence[TopicState], destination: str) -> int:
    """Return the partition count that all have. Raises :class:`TopicsError` for missing topics and unequal counts."""
    hidden = [state.name for state in states if not state.rights]
    if hidden:
        raise TopicsError(f"Kafka does not let this client see {', '.join(hidden)}; give it rights on each of them")
    missing = [state.name for state in states if not state.partitions]
    if missing:
        raise TopicsError(
            f"Kafka has no topic {', '.join(missing)}; make it with `sluice topics create {destination}`, "
            "or correct topic_prefix"
        )
    return _equal_count(states)


async def create_topics(
    admin: Any,
    destination: str,
    prefix: str = "",
    *,
    partitions: int | None = None,
    replication_factor: int | None = None,
) -> list[TopicState]:
    """Make the missing topics of ``destination``, and return them.

    ``partitions`` is the existing topics' count where there are some, else the catalogue's. Raises
    :class:`TopicsError` when existing counts differ from each other or from ``partitions``: they are never changed.
    """
    states = await topic_states(admin, topics_of(destination, prefix).all)
    count = _count_to_make([state for state in states if state.partitions], partitions)
    missing = [state.name for state in states if not state.partitions]
    if not missing:
        return []
    configs = topic_configs(destination, prefix)
    replicas = catalogue().replication_factor if replication_factor is None else replication_factor
    # An empty assignment is how this client is told that -1 stands for the broker's default.
    new = [NewTopic(name, count, replicas, {} if replicas < 0 else None, configs[name]) for name in missing]
    for name, code, message in (await admin.create_topics(new)).topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # somebody else has made it meanwhile
            raise TopicsError(f"Kafka refuses to make the topic {name}: {message or error.__name__}")
    return await _await_topics(admin, missing)


async def max_message_bytes(admin: Any, topic: str) -> int:
    """Return the size of the largest batch of records that ``topic`` takes, compressed or not."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": ""})
    for response in await admin.describe_configs([resource]):
        for _error, _message, _type, _name, entries in response.resources:
            for entry in entries:
                return int(entry[1])
    return DEFAULT_MAX_MESSAGE_BYTES


def _state(topic: TopicDescription) -> TopicState:
    replicas, rights = topic.replicas, rights_of(topic.authorized_operations)
    return TopicState(topic.name, len(replicas), replicas[0] if replicas else 0, topic.topic_id, rights)


def _equal_count(states: Sequence[TopicState]) -> int:
    counts = {state.partitions for state in states}
    if len(counts) > 1:
        seen = ", ".join(f"{state.name} has {state.partitions}" for state in states)
        raise TopicsError(
            f"expected the same number of partitions in every topic, but {seen}; give all of them {max(counts)}, with "
            f"kafka-topics.sh --alter --partitions {max(counts)} --topic NAME, or make the odd ones anew; "
            "Sluice never changes a count, because keys would move between partitions"
        )
    return counts.pop()


def _count_to_make(existing: Sequence[TopicState], wanted: int | None) -> int:
    if not existing:
        return catalogue().partitions if wanted is None else wanted
    count = _equal_count(existing)
    if wanted is not None and wanted != count:
        raise TopicsError(
            f"{existing[0].name} has {count} partitions and {wanted} were asked for; Sluice never changes a count, "
            f"because keys would move between partitions: leave --partitions out, or say {count}"
        )
    return count


async def _await_topics(admin: Any, names: Sequence[str]) -> list[TopicState]:
    """Wait until Kafka shows every one of ``names``: the controller answers before the brokers know."""
    try:
        async with asyncio.timeout(_CREATE_TIMEOUT_S):
            while True:
                states = await topic_states(admin, names)
                if all(state.partitions for state in states):
                    return states
                await asyncio.sleep(_POLL_S)
    except (TimeoutError, KafkaError) as error:
        raise TopicsError(f"Kafka was told to make {', '.join(names)}, and does not show them: {error}") from error
