"""Journals are read beside their owners: what is open in all lanes, and what was ever named."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from sluice.kafka.clients import client_options
from sluice.vendor_jobs.journals import (
    Named,
    count_lanes,
    count_writers,
    read_named,
    read_open_jobs,
    runs_of,
)
from tests.support.factories import NOON
from tests.support.kafka_admin import RunningKafka
from tests.vendor_jobs.journal_writing import make_site, write_two_batches


async def test_open_jobs_of_all_lanes_come_oldest_first(kafka: RunningKafka, prefix: str) -> None:
    site = await make_site(kafka, prefix)
    assert await read_open_jobs(site) == []
    await write_two_batches(site)
    old, new = await read_open_jobs(site)
    assert (old.batch_id, sorted(old.parts), old.open, old.known.is_submitted) == ("old", [1], 4, False)
    assert (new.batch_id, sorted(new.parts), new.open, new.known.requested_at) == ("new", [0, 1], 3, NOON)
    assert (new.known.refs, new.known.items) == ({"job": "7", "batch": "1"}, 10)
    topics = site.topics
    assert runs_of(new.parts[0], topics.inputs) == [(topics.records, 6, 7)]


async def test_what_is_committed_is_not_open(kafka: RunningKafka, prefix: str) -> None:
    site = await make_site(kafka, prefix)
    await write_two_batches(site)
    options = client_options(site.kafka)
    async with AIOKafkaConsumer(**options, group_id=site.group_id, enable_auto_commit=False) as consumer:
        records = TopicPartition(site.topics.records, 0)
        consumer.assign([records])
        await consumer.commit({records: OffsetAndMetadata(7, "")})
    [new] = [job for job in await read_open_jobs(site) if job.batch_id == "new"]
    assert {lane: part.open for lane, part in new.parts.items()} == {0: 1, 1: 1}


async def test_names_are_found_long_after_their_batch_is_settled(kafka: RunningKafka, prefix: str) -> None:
    site = await make_site(kafka, prefix)
    await write_two_batches(site)
    lanes = range(await count_lanes(site))
    assert await read_named(site, lanes, None, {("job", "6"), ("job", "5")}) == {Named(frozenset({("job", "6")}), True)}
    [seven] = await read_named(site, lanes, None, {("job", "7")})
    assert seven == Named(frozenset({("job", "7")}), False)


async def test_a_destination_without_a_writer_has_none(kafka: RunningKafka, prefix: str) -> None:
    assert await count_writers(await make_site(kafka, prefix)) == 0
