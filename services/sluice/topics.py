"""The topics of a destination, read from ``schemas/topics.toml``, which is the only place that names them."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The role of one topic. ``name`` is a template with ``{destination}`` in it."""

    name: str
    holds: str
    key: str
    producers: list[str]
    consumers: list[str]
    config: dict[str, str]
    delay_s: float | None = None
    """The wait of each retry in it; ``None`` for every other topic."""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file: defaults for all topics, and the topics by role."""

    partitions: int
    replication_factor: int
    topics: dict[str, Topic]


class RetryTopic(NamedTuple):
    """A retry topic and its fixed delay."""

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
        """The topics that a writer reads: records, then the retry topics by rising delay."""
        return (self.records, *(retry.name for retry in self.retries))

    @property
    def all(self) -> tuple[str, ...]:
        """Every topic of the destination."""
        return (*self.inputs, self.succeeded, self.dead_letters, self.batches, self.results, self.control)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that this version ships."""
    text = files("sluice").joinpath("schemas", "topics.toml").read_bytes()
    return msgspec.toml.decode(text, type=Catalogue)


def topics_of(destination: str, prefix: str = "") -> DestinationTopics:
    """Return the names of ``destination``'s topics, each with the configured ``prefix`` in front."""

    def name(topic: Topic) -> str:
        return prefix + topic.name.format(destination=destination)

    roles = catalogue().topics
    retries = [RetryTopic(name(topic), topic.delay_s) for topic in roles.values() if topic.delay_s is not None]
    return DestinationTopics(
        records=name(roles["records"]),
        retries=tuple(sorted(retries, key=lambda retry: retry.delay_s)),
        succeeded=name(roles["succeeded"]),
        dead_letters=name(roles["dead-letters"]),
        batches=name(roles["batches"]),
        results=name(roles["results"]),
        control=name(roles["control"]),
    )


def writer_group(destination: str, prefix: str = "") -> str:
    """Return the consumer group of ``destination``'s writers."""
    return f"{prefix}{destination}.writer"


def topic_configs(destination: str, prefix: str = "") -> dict[str, dict[str, str]]:
    """Return the broker configuration of each of ``destination``'s topics, by name."""
    return {prefix + topic.name.format(destination=destination): topic.config for topic in catalogue().topics.values()}
