"""Journals written as writers write them, with the topics of ``crm`` around them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from aiokafka import AIOKafkaProducer

from sluice.events import BatchEvent, OpenedJob, Rows, encode_event
from sluice.flow.key_hashes import encode_hashes
from sluice.kafka.clients import client_options
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.vendor_jobs.journals import Site
from tests.support.factories import NOON
from tests.support.kafka_admin import RunningKafka


async def make_site(kafka: RunningKafka, prefix: str) -> Site:
    """Make all topics of a destination with two lanes."""
    async with admin_client(kafka.settings) as admin:
        await create_topics(admin, "crm", prefix, partitions=2)
    return Site(kafka.settings, "crm", prefix)


def opened(batch_id: str, *rows: Rows, at: datetime = NOON) -> BatchEvent:
    """Make the entry of a batch of ten items that becomes a vendor job."""
    hashes = encode_hashes(offset for one in rows for offset in range(one.length))
    job = OpenedJob(items=10, fingerprint="f", key_hashes=hashes)
    return BatchEvent(
        batch_id=batch_id, state="opened", batch_key="Account", rows=list(rows), vendor_job=job, requested_at=at
    )


def submitted(batch_id: str, refs: Mapping[str, str]) -> BatchEvent:
    """Make the entry of a batch that the vendor has."""
    return BatchEvent(batch_id=batch_id, state="submitted", refs=dict(refs))


def settled(batch_id: str, *rows: Rows) -> BatchEvent:
    """Make the entry of rows that have their receipts."""
    return BatchEvent(batch_id=batch_id, state="settled", rows=list(rows))


async def write_journal(site: Site, lane: int, entries: Sequence[BatchEvent]) -> None:
    """Write ``entries`` behind what the journal of ``lane`` has."""
    async with AIOKafkaProducer(**client_options(site.kafka)) as producer:
        for entry in entries:
            await producer.send_and_wait(site.topics.batches, encode_event(entry), partition=lane)


async def write_two_batches(site: Site) -> None:
    """Write ``old``, lost and in lane 1 alone, and ``new``, submitted in both lanes with two of five rows settled."""
    await write_journal(
        site,
        0,
        [
            opened("new", Rows(0, 5, 3, 0)),
            submitted("new", {"job": "7", "batch": "1"}),
            settled("new", Rows(0, 5, 1, 0)),
        ],
    )
    old = opened("old", Rows(0, 90, 4, 0), at=NOON - timedelta(hours=1))
    await write_journal(
        site,
        1,
        [old, opened("new", Rows(0, 20, 2, 3)), settled("new", Rows(0, 21, 1, 4)), opened("done", Rows(1, 1, 2, 0))],
    )
    await write_journal(site, 1, [submitted("done", {"job": "6"}), settled("done", Rows(1, 1, 2, 0))])
