"""The writer process without a right that it needs: it says which, sends nothing, and goes on when it is given."""

import pytest

from sluice.kafka.topic_rights import Right
from tests.support.access import without
from tests.support.stage import Stage, record
from tests.support.writer_process import WriterProcess


async def _says(writer: WriterProcess, what: str) -> None:
    await writer.shows(lambda status: what in str(status["not_ready_because"]))


@pytest.mark.parametrize(
    ("right", "role"),
    [
        pytest.param(Right.WRITE, "succeeded", id="receipts"),
        pytest.param(Right.READ, "batches", id="the journal"),
        pytest.param(Right.DESCRIBE, "records", id="records, not even to see"),
    ],
)
async def test_nothing_is_sent_without_a_right_until_it_is_given(stage: Stage, right: Right, role: str) -> None:
    topic, servers = f"{stage.connection.topic_prefix}crm.{role}", stage.connection.kafka.bootstrap_servers
    sources = await stage.publish(record(f"k{number}") for number in range(5))
    async with without(right, topic, servers):
        writer = stage.writer(stage.settings())
        named = "READ" if right is Right.DESCRIBE else right.name
        await _says(writer, f"does not let this client {named} {topic}; allow it: kafka-acls.sh")
        assert (await writer.get("/readyz")).status_code == 503
        assert [line["reason"] for line in writer.logged("topics cannot be used, nothing is delivered")]
        assert stage.app.vendor.ledger.summary(repeats=False).requests == {}
    await stage.settled(sources)
    assert {len(stage.sent(source)) for source in sources} == {1}
    await writer.owns(2)


@pytest.mark.parametrize(
    ("right", "role"),
    [pytest.param(Right.WRITE, "succeeded", id="receipts"), pytest.param(Right.READ, "records", id="records")],
)
async def test_a_right_that_is_taken_away_from_a_writer_is_told(stage: Stage, right: Right, role: str) -> None:
    topic, servers = f"{stage.connection.topic_prefix}crm.{role}", stage.connection.kafka.bootstrap_servers
    writer = stage.writer(stage.settings())
    await writer.owns(2)
    async with without(right, topic, servers):
        sources = await stage.publish(record(f"k{number}") for number in range(5))
        await _says(writer, f"does not let this client {right.name} {topic}; allow it: kafka-acls.sh")
    await stage.settled(sources)
    assert {len(stage.sent(source)) for source in sources} == {1}
