"""Runs of a writer in which all that can happen to it happens: each of its metrics moves."""

from collections import defaultdict
from pathlib import Path

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from prometheus_client.parser import text_string_to_metric_families

from sandbox.faults.fault import Latency, MissingResults, Status
from sluice.kafka.clients import client_options
from sluice.kafka.control_topic import set_guard
from sluice.kafka.topic_admin import admin_client
from sluice.telemetry.metric_definitions import DEFINITIONS
from tests.destinations.depot.vendor import Depot
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import DEPOT, Message, record, staged
from tests.support.writer_process import WriterProcess, eventually

OF_JOBS = {
    "sluice_vendor_jobs",
    "sluice_vendor_job_rows",
    "sluice_oldest_vendor_job_seconds",
    "sluice_vendor_job_polls",
    "sluice_quota_remaining",
}
"""Metrics of vendors that run batches as jobs."""


class Maxima:
    """The largest value that each metric has had at any scrape."""

    def __init__(self, writer: WriterProcess) -> None:
        self._writer = writer
        self._seen = defaultdict[str, float](float)

    async def moved(self, *names: str) -> None:
        """Scrape until each of ``names`` has had a value above 0."""

        async def look() -> bool:
            for family in text_string_to_metric_families((await self._writer.get("/metrics")).text):
                values = [sample.value for sample in family.samples]
                self._seen[family.name] = max(self._seen[family.name], *values, 0.0)
            return all(self._seen[name] > 0 for name in names)

        await eventually(look, within_s=30)

    @property
    def unmoved(self) -> set[str]:
        return {name for name in DEFINITIONS if self._seen[name] == 0}


async def test_metrics_of_vendor_jobs_move(kafka: RunningKafka, prefix: str, tmp_path: Path) -> None:
    depot = Depot()
    depot.is_held = True
    async with staged(kafka, prefix, tmp_path, vendor=depot, kind=DEPOT) as stage:
        writer = stage.writer(stage.settings())
        maxima = Maxima(writer)
        await stage.publish(record(f"p-{n}", object="parcel") for n in range(20))
        await maxima.moved(*OF_JOBS)


async def test_every_other_metric_moves_in_one_run(kafka: RunningKafka, prefix: str, tmp_path: Path) -> None:
    async with staged(kafka, prefix, tmp_path) as stage:
        faults = stage.app.faults
        await stage.publish([Message(b"b", b"not a BatchEvent")], topic=stage.topics.batches)
        writer = stage.writer(
            stage.settings(guard={"max_share": 0.1, "over_records": 100}, delivery={"max_waiting_per_lane": 10})
        )
        await writer.owns(2)
        maxima = Maxima(writer)

        faults.add(Status(status=503, times=None, method="PUT"))
        await stage.publish(record(f"held-{n}") for n in range(200))
        await stage.publish(record("hot", n=n) for n in range(40))
        await maxima.moved(
            "sluice_holds",
            "sluice_held_seconds",
            "sluice_buffered_items",
            "sluice_buffered_bytes",
            "sluice_runnable_backlog_records",
            "sluice_oldest_unsettled_seconds",
            "sluice_lane_gap_records",
            "sluice_left_in_kafka_records",
        )
        faults.clear()
        faults.add(Latency(seconds=1.0, times=None, method="PUT"))
        await maxima.moved("sluice_requests_in_flight")
        faults.clear()

        await stage.publish([record("acme5")._replace(partition=1)])  # murmur2 chooses 0
        await maxima.moved("sluice_misplaced_records")

        faults.add(MissingResults(method="PUT"))
        await stage.publish([record("again")])
        await maxima.moved("sluice_waiting_retries", "sluice_next_retry_seconds", "sluice_parked_keys")

        # Whoever has a lane's transactional id last, owns the lane.
        async with AIOKafkaProducer(**client_options(stage.connection.kafka), transactional_id=f"{prefix}crm.writer-0"):
            pass
        await stage.publish(record(f"after-{n}") for n in range(100))
        await maxima.moved("sluice_lanes_lost", "sluice_lane_restarts", "sluice_lanes_waiting")

        await stage.publish(record(f"bad-{n}", object="group/nowhere") for n in range(100))
        await maxima.moved("sluice_dead_letters", "sluice_guard_stopped", "sluice_paused_partitions")

        await stage.publish(record(f"unread-{n}") for n in range(100))
        async with admin_client(stage.connection.kafka) as admin:
            partition = TopicPartition(stage.topics.records, 0)
            await admin.delete_records({partition: RecordsToDelete(before_offset=-1)})  # all that are there
        await set_guard(stage.connection.kafka, stage.topics.control, "running", reason="repaired", by="a test")
        await maxima.moved("sluice_unread_records_deleted")
        assert maxima.unmoved == OF_JOBS
        assert await writer.stop() == 0
