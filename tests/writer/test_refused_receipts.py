"""A writer whose receipts Kafka refuses after the vendor has answered: nothing is sent twice, and no answer is lost."""

from tests.support.kafka_admin import set_topic_config
from tests.support.stage import Message, Stage, code_of, record
from tests.support.writer_process import WriterProcess, eventually


def _increment(n: int) -> Message:
    return record(f"c{n}", visits={"increment": 1})


async def _is_refused(writer: WriterProcess, times: int) -> bool:
    return len(writer.logged("lane lost")) >= times


async def _refuse_receipts(stage: Stage, *, refuse: bool) -> None:
    # Too few for a receipt, enough for the marker with which Kafka ends a transaction.
    most = "200" if refuse else "1048588"
    await set_topic_config(stage.connection.kafka.bootstrap_servers, stage.topics.succeeded, "max.message.bytes", most)


async def test_answers_are_written_when_kafka_takes_their_receipts_again(stage: Stage) -> None:
    writer = stage.writer(stage.settings())
    await writer.owns(2)
    await _refuse_receipts(stage, refuse=True)
    sources = await stage.publish([_increment(n) for n in range(20)])
    await eventually(lambda: _is_refused(writer, 4))
    assert not (await writer.status())["ready"]
    assert not writer.logged("batch settled")
    assert all("max.message.bytes" in line["reason"] for line in writer.logged("lane lost"))
    await _refuse_receipts(stage, refuse=False)
    receipts = await stage.settled(sources)
    assert {code_of(receipt) for receipt in receipts.values()} == {"CREATED"}
    assert {len(stage.sent(source)) for source in sources} == {1}
    await writer.owns(2)


async def test_nothing_more_is_sent_for_a_lane_whose_receipts_are_refused(stage: Stage) -> None:
    writer = stage.writer(stage.settings())
    await writer.owns(2)
    await _refuse_receipts(stage, refuse=True)
    sources = await stage.publish([record("one", n=1)._replace(partition=0)])
    await eventually(lambda: _is_refused(writer, 2))
    sources += await stage.publish([record(f"later-{n}")._replace(partition=0) for n in range(5)])
    await eventually(lambda: _is_refused(writer, 4))
    assert [len(stage.sent(source)) for source in sources] == [1, 0, 0, 0, 0, 0]
    await _refuse_receipts(stage, refuse=False)
    assert len(await stage.settled(sources)) == 6
    assert [len(stage.sent(source)) for source in sources] == [1] * 6
