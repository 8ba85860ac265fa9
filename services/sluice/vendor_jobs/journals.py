"""Reading the journals of all lanes beside their owners: no lane is taken over, no group is joined.

What is read may be a moment old. It is a view for people, and proves nothing.
"""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from sluice.events import BatchEvent, KafkaRecord, decode_batch
from sluice.flow.commits import Commit, CommitMetadata, Log, journal_start_of, start_of
from sluice.flow.journal import Journal
from sluice.flow.lane_job import LaneJob
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client, partition_count, topic_states
from sluice.kafka.topic_reader import TopicReader
from sluice.topics import DestinationTopics, topics_of, writer_group

NO_END = sys.maxsize
"""The end of a log that grows while it is looked at."""


class Site(NamedTuple):
    """One destination in one Kafka."""

    kafka: KafkaSettings
    destination: str
    prefix: str

    @property
    def topics(self) -> DestinationTopics:
        """The names of its topics."""
        return topics_of(self.destination, self.prefix)

    @property
    def group_id(self) -> str:
        """The group of its writers."""
        return writer_group(self.destination, self.prefix)


class OpenJob(NamedTuple):
    """A batch that the vendor runs as a job, with records that have no receipt yet."""

    parts: Mapping[int, LaneJob]
    """By lane."""

    @property
    def known(self) -> LaneJob:
        """The part that knows most of it: entries of one lane can be missing in another."""
        return max(self.parts.values(), key=lambda job: (job.is_submitted, len(job.refs)))

    @property
    def batch_id(self) -> str:
        """The batch that it was submitted as."""
        return self.known.batch_id

    @property
    def open(self) -> int:
        """Records without a receipt."""
        return sum(job.open for job in self.parts.values())


async def count_lanes(site: Site) -> int:
    """Return how many lanes there are. Raises ``TopicsError`` for topics that cannot be used."""
    async with admin_client(site.kafka) as admin:
        return partition_count(await topic_states(admin, [site.topics.batches, site.topics.control]), site.destination)


async def read_open_jobs(site: Site) -> list[OpenJob]:
    """Return the vendor jobs of all lanes that are not settled, the oldest first.

    Raises ``KafkaError``, ``KafkaUnreachable`` and ``TopicsError``.
    """
    names = site.topics
    async with admin_client(site.kafka) as admin:
        states = await topic_states(admin, [*names.inputs, names.batches])
        lanes = range(partition_count(states, site.destination))
        # Before the journal, which is read to an end that is later: what they leave out stands there.
        commits = await _commits(admin, site, lanes)
    ids = {state.name: state.topic_id for state in states}
    foreign = ForeignMessages()
    async with TopicReader(site.kafka, ids, foreign=foreign) as reader:
        partitions = [TopicPartition(topic, lane) for topic in ids for lane in lanes]
        beginnings = await reader.beginnings(partitions)
        logs = {one: Log(ids[one.topic], beginnings[one], NO_END) for one in partitions}
        journals: dict[int, Journal] = {}
        tails: dict[TopicPartition, int] = {}
        for lane in lanes:
            inputs = [TopicPartition(topic, lane) for topic in names.inputs]
            starts = [start_of(commits.get(one), logs[one]) for one in inputs]
            place = TopicPartition(names.batches, lane)
            tails[place] = journal_start_of(commits.get(inputs[0]), logs[place]).offset
            journals[lane] = Journal(starts, tails[place], opened_at_s=0.0)
        async for messages in reader.read_from(tails):
            for message in messages:
                if (entry := foreign.read(message, _batch_event)) is not None:
                    journals[message.partition].read(message.offset, entry)
    return _by_batch(journals)


class Named(NamedTuple):
    """The vendor's names for one of our batches, as far as somebody asks for them."""

    names: frozenset[tuple[str, str]]
    is_whole: bool
    """False where the batch has other names beside these."""

    def is_listed_as(self, listed: Mapping[str, str]) -> bool:
        """Return whether a job that the vendor lists by these names is, or holds, the batch."""
        return listed.items() <= self.names or (self.is_whole and self.names <= listed.items())


async def read_named(
    site: Site, lanes: Iterable[int], since: datetime | None, wanted: Collection[tuple[str, str]]
) -> set[Named]:
    """Return what journals have named ``since`` then by some of the names ``wanted``, settled or not.

    There may be millions of entries: only what is wanted is kept.
    """
    foreign, found = ForeignMessages(), set[Named]()
    async with TopicReader(site.kafka, foreign=foreign) as reader:
        async for messages in reader.read(site.topics.batches, lanes, since or "beginning"):
            for message in messages:
                entry = foreign.read(message, _batch_event)
                names = frozenset(one for one in entry.refs.items() if one in wanted) if entry is not None else None
                if entry is not None and names:
                    found.add(Named(names, len(names) == len(entry.refs)))
    return found


async def count_writers(site: Site) -> int:
    """Return how many writers are in their group now. Raises ``KafkaError`` and ``KafkaUnreachable``."""
    async with admin_client(site.kafka) as admin:
        [response] = await admin.describe_consumer_groups([site.group_id])
    return sum(len(members) for _error, _group, _state, _type, _protocol, members, *_ in response.groups)


async def _commits(admin: Any, site: Site, lanes: Iterable[int]) -> Mapping[TopicPartition, Commit]:
    wanted = [TopicPartition(topic, lane) for topic in site.topics.inputs for lane in lanes]
    found = await admin.list_consumer_group_offsets(site.group_id, partitions=wanted)
    return {
        one: Commit(committed.offset, CommitMetadata.decode(committed.metadata))
        for one, committed in found.items()
        if committed.offset >= 0
    }


def _by_batch(journals: Mapping[int, Journal]) -> list[OpenJob]:
    parts: dict[str, dict[int, LaneJob]] = {}
    for lane, journal in journals.items():
        for batch_id, job in journal.jobs.items():
            parts.setdefault(batch_id, {})[lane] = job
    return sorted(map(OpenJob, parts.values()), key=lambda job: job.known.requested_at)


def _batch_event(message: KafkaRecord) -> BatchEvent:
    return decode_batch(message.value or b"")


def runs_of(job: LaneJob, topics: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the open records of a lane as runs: topic, first and last offset."""
    return [
        (topics[topic], run.start, run.stop - 1) for topic, rows in sorted(job.rows.items()) for run in rows.open.runs()
    ]
