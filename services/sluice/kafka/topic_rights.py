"""Rights on topics: those that a client has, those that it needs, and how to give it more."""

from collections.abc import Iterable, Mapping
from enum import IntEnum

from sluice.kafka.settings import KafkaSettings
from sluice.topics import DestinationTopics


class Right(IntEnum):
    """An operation on a topic, by Kafka's number; READ and WRITE include DESCRIBE."""

    READ = 3
    WRITE = 4
    DESCRIBE = 8


Rights = frozenset[Right]


def rights_of(operations: int) -> Rights:
    """Read Kafka's bits, one for each operation."""
    return frozenset(right for right in Right if operations >> right & 1)


def writer_rights(topics: DestinationTopics) -> dict[str, Rights]:
    """Return what a writer needs, by topic."""
    read = {*topics.inputs, topics.batches, topics.control}
    written = {*topics.inputs[1:], topics.succeeded, topics.dead_letters, topics.batches, topics.control}
    return {
        topic: frozenset(
            [Right.DESCRIBE, *([Right.READ] if topic in read else []), *([Right.WRITE] if topic in written else [])]
        )
        for topic in topics.all
    }


def explain_missing(needed: Mapping[str, Rights], given: Mapping[str, Rights], kafka: KafkaSettings) -> str | None:
    """Return which of the ``needed`` rights are missing, and what gives them; ``None`` when there are all."""
    missing = {right: [topic for topic in needed if right in needed[topic] - given[topic]] for right in Right}
    if not any(missing.values()):
        return None
    # Whoever may read or write a topic may see it.
    implied = {*missing[Right.READ], *missing[Right.WRITE]}
    missing[Right.DESCRIBE] = [topic for topic in missing[Right.DESCRIBE] if topic not in implied]
    said = [f"{right.name} {', '.join(topics)}" for right, topics in missing.items() if topics]
    commands = [_command(right, topics, kafka) for right, topics in missing.items() if topics]
    return f"Kafka does not let this client {' nor '.join(said)}; allow it: {' && '.join(commands)}"


def _command(right: Right, topics: Iterable[str], kafka: KafkaSettings) -> str:
    user = kafka.sasl.username if kafka.sasl else "ANONYMOUS"
    if kafka.tls and kafka.tls.cert_file and not kafka.sasl:
        user = "<subject of kafka.tls.cert_file>"
    named = " ".join(f"--topic {topic}" for topic in topics)
    return (
        f"kafka-acls.sh --bootstrap-server {kafka.bootstrap_servers} --add --allow-principal 'User:{user}' "
        f"--operation {right.name.title()} {named}"
    )
