"""Gathers what a round has left behind, from Kafka and from the vendor; nothing of it is asked of a writer."""

import time
from collections.abc import Iterable
from typing import cast

from aiokafka import ConsumerRecord, TopicPartition

from sandbox.ledger.ledger import LedgerFilter
from sluice.client.receipts import DeadLetter
from sluice.client.receipts import Receipt as SluiceReceipt
from sluice.events import Header
from sluice.kafka.topic_admin import admin_client
from tests.chaos.audit import Entry, Evidence, Expected, Place, Receipt, Record, Retry, Sample, Verdict
from tests.chaos.cast import Cast
from tests.chaos.harm import Harm
from tests.chaos.workload import EXPECTED, MAKES, PARTS
from tests.support.stage import Stage, code_of, source_of
from tests.support.topics import partitions_of, read_all


async def gather(stage: Stage, cast_: Cast, harm: Harm, samples: Iterable[Sample], peak_rss_bytes: int) -> Evidence:
    """Read everything that stands in the topics and the ledger now."""
    topics = stage.topics
    published = await read_all(stage.connection, topics.records)
    source_of_entry = cast_.source_of(published)
    retried = [one for tier in topics.retries for one in await read_all(stage.connection, tier.name)]
    return Evidence(
        records=[_record(one) for one in published],
        receipts=[_receipt(one, cast_.made_ref) for one in await stage.receipts()],
        ledger=[
            Entry(source, entry.effect, entry.changed or entry.effect in cast_.idle_effects)
            for entry in stage.app.vendor.ledger.entries(LedgerFilter())
            if (source := source_of_entry(entry)) is not None
        ],
        retries=[_retry(one) for one in retried],
        committed=await committed(stage),
        records_topic=topics.records,
        samples=list(samples) if harm.samples_count else (),
        peak_rss_bytes=peak_rss_bytes,
        codes_are_effects=cast_.codes_are_effects,
        may_cancel=harm.may_cancel,
        may_refuse=harm.may_refuse,
        made=await cast_.made(stage.url),
    )


async def records_of(stage: Stage) -> list[Record]:
    """Return what stands in the records topic now, redriven lives among it."""
    return [_record(one) for one in await read_all(stage.connection, stage.topics.records)]


async def committed(stage: Stage) -> dict[tuple[str, int], int]:
    """Return what the writers' group has committed, by input topic and partition."""
    async with admin_client(stage.connection.kafka) as admin:
        numbers = await partitions_of(admin, stage.topics.records)
        partitions = [TopicPartition(topic, number) for topic in stage.topics.inputs for number in numbers]
        group_id = f"{stage.connection.topic_prefix}crm.writer"
        found = await admin.list_consumer_group_offsets(group_id, partitions=partitions)
    return {(one.topic, one.partition): offset.offset for one, offset in found.items()}


async def sample(stage: Stage) -> Sample:
    """Return what is committed of the records topic; all that settles it was written before this returns."""
    found = await committed(stage)
    now_s = time.time()
    return Sample(now_s, {number: offset for (topic, number), offset in found.items() if topic == stage.topics.records})


def _record(message: ConsumerRecord) -> Record:
    headers = dict(message.headers)
    expected, key = cast(Expected, headers[EXPECTED].decode()), message.key or b""
    makes, parts = headers.get(MAKES, b"").decode(), frozenset(headers.get(PARTS, b"").decode().split())
    if Header.REDRIVE_COUNT not in headers:
        return Record((message.partition, message.offset), key, expected, makes=makes, parts=parts)
    redrives = int(headers[Header.REDRIVE_COUNT])
    return Record(_first_life(headers), key, expected, message.offset, redrives, makes, parts)


def _receipt(receipt: SluiceReceipt, made_ref: str) -> Receipt:
    verdict = receipt.error_class if isinstance(receipt, DeadLetter) else receipt.event.outcome
    return Receipt(
        source_of(receipt),
        receipt.place.partition,
        cast(Verdict, verdict),
        code_of(receipt),
        receipt.written_at.timestamp(),
        receipt.refs.get(made_ref) if isinstance(receipt, DeadLetter) else receipt.event.record_id,
    )


def _retry(message: ConsumerRecord) -> Retry:
    return Retry(
        _first_life(dict(message.headers)), (message.topic, message.partition, message.offset), message.timestamp / 1000
    )


def _first_life(headers: dict[str, bytes]) -> Place:
    return int(headers[Header.SOURCE_PARTITION]), int(headers[Header.SOURCE_OFFSET])
