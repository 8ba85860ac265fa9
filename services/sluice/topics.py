"""The topics of a destination, read from ``schemas/topics.toml``, which is the only place that names them."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one topic is for. ``name`` is a template with ``{destination}`` in it."""

    name: str
    holds: str
    key: str
    producers: list[str]
    consumers: list[str]
    config: dict[str, str]
    delay_s: float | None = None
    """How long a retry waits in this topic; ``None`` for a topic that is not a retry topic."""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file: defaults for every topic, and the topics by role."""

    partitions: int
    replication_factor: int
    topics: dict[str, Topic]


class RetryTopic(NamedTuple):
    """One retry topic and its fixed delay."""

    name: str
    delay_s: float


class DestinationTopics(NamedTuple):
    """The names of one destination's topics."""

    records: str
    retries: tuple[RetryTopic, ...]
    succeeded: str
    dead_letters: str
    batches: str
    results: str
    control: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """What a writer reads: the records topic, then the retry topics by rising delay."""
        return (self.records, *(topic.name for topic in self.retries))

    @property
    def all(self) -> tuple[str, ...]:
        """Every topic of the destination."""
        return (*self.inputs, self.succeeded, self.dead_letters, self.batches, self.results, self.control)


@cache
def catalogue() -> Catalogue:
    """The catalogue as shipped with this version."""
    text = files("sluice").joinpath("schemas", "topics.toml").read_bytes()
    return msgspec.toml.decode(text, type=Catalogue)


def topics_of(destination: str, prefix: str = "") -> DestinationTopics:
    """The names of ``destination``'s topics, each with the configured ``prefix`` in front."""

    def name(topic: Topic) -> str:
        return prefix + topic.name.format(destination=destination)

    roles = catalogue().topics
    tiers = [RetryTopic(name(topic), topic.delay_s) for topic in roles.values() if topic.delay_s is not None]
    return DestinationTopics(
        records=name(roles["records"]),
        retries=tuple(sorted(tiers, key=lambda tier: tier.delay_s)),
        succeeded=name(roles["succeeded"]),
        dead_letters=name(roles["dead-letters"]),
        batches=name(roles["batches"]),
        results=name(roles["results"]),
        control=name(roles["control"]),
    )


def topic_configs(destination: str, prefix: str = "") -> dict[str, dict[str, str]]:
    """Each of ``destination``'s topics with the broker configuration it wants."""
    return {prefix + topic.name.format(destination=destination): topic.config for topic in catalogue().topics.values()}
