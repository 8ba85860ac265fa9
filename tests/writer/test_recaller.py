"""Recaller: followers of hot keys that were left in Kafka come back in their order, and their neighbours go on."""

from sandbox.faults.fault import Latency
from sandbox.ledger.ledger import LedgerFilter
from tests.support.stage import TIMEOUT_S, Stage, record


async def test_neighbours_of_a_hot_key_go_on_and_its_followers_come_back_from_kafka_in_order(stage: Stage) -> None:
    delivery = {"max_waiting_per_lane": 20}
    writer = stage.writer(stage.settings(window={"max_age_s": 0}, delivery=delivery, to={"timeout_s": 30.0}))
    await writer.owns(2)
    stage.app.faults.add(Latency(seconds=8, method="PUT"))
    [first] = await stage.publish([record("hot", n=0)._replace(partition=0)])
    await writer.shows(lambda status: status["requests_in_flight"] == 1)
    hot = [first, *await stage.publish(record("hot", n=n)._replace(partition=0) for n in range(1, 120))]
    healthy = await stage.publish(record(f"c{n}")._replace(partition=0) for n in range(500))
    await stage.settled(healthy)
    assert stage.sent(hot[0]) == []
    assert (await writer.status())["left_in_kafka"] > 90
    await stage.settled(hot)
    applied = [entry.identifier for entry in stage.app.vendor.ledger.entries(LedgerFilter())]
    names = [f"{partition}-{offset}" for partition, offset in hot]
    assert [one for one in applied if one in set(names)] == names
    assert (await writer.status())["left_in_kafka"] == 0


async def test_followers_in_kafka_outlive_a_writer_that_is_killed(stage: Stage) -> None:
    config = stage.settings(window={"max_age_s": 0}, delivery={"max_waiting_per_lane": 10}, to={"timeout_s": TIMEOUT_S})
    writer = stage.writer(config)
    await writer.owns(2)
    hot = await stage.publish(record("hot", n=n)._replace(partition=0) for n in range(60))
    await writer.shows(lambda status: status["left_in_kafka"] > 0)
    await writer.settles()
    await writer.kill()
    stage.writer(config)
    await stage.settled(hot)
