"""A writer whose writes get lost, or are refused as a whole: nothing is blamed, repeated late, or sent without end."""

from prometheus_client.parser import text_string_to_metric_families

from sandbox.faults.fault import DropBefore, Latency, Status
from sandbox.ledger.ledger import LedgerFilter
from sluice.client.receipts import Succeeded
from sluice.kafka.control_topic import set_guard
from tests.support.stage import TIMEOUT_S, Stage, code_of, record
from tests.support.writer_process import WriterProcess


async def _requests(writer: WriterProcess, status: str) -> float:
    families = text_string_to_metric_families((await writer.get("/metrics")).text)
    samples = [sample for family in families for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == "sluice_request_seconds_count" and sample.labels["status"] == status
    )


async def test_writes_that_are_reset_while_reads_work_use_up_no_attempt(stage: Stage) -> None:
    writer = stage.writer(stage.settings())
    await writer.owns(2)
    stage.app.faults.add(DropBefore(method="PUT", times=None))
    sources = await stage.publish(record(f"c{n}", n=n) for n in range(120))
    await writer.shows(lambda status: status["failures_in_a_row"] > 20)
    stage.app.faults.clear()
    receipts = (await stage.settled(sources)).values()
    assert {code_of(receipt) for receipt in receipts} == {"CREATED"}
    assert {receipt.event.attempt for receipt in receipts if isinstance(receipt, Succeeded)} == {1}


async def test_batch_that_is_bad_throughout_stops_the_writer_within_tens_of_requests(stage: Stage) -> None:
    window, guard = {"max_items": 1000, "max_age_s": 0.5}, {"max_share": 0.5, "over_records": 500}
    writer = stage.writer(stage.settings(window=window, guard=guard))
    await writer.owns(2)
    bad = '{"code": 400, "message": "unknown property"}'
    stage.app.faults.add(Status(status=400, method="PUT", times=None, body=bad, content_type="application/json"))
    sources = await stage.publish(record(f"c{n}", renamed=n) for n in range(1000))
    await writer.shows(lambda status: status["stopped_because"] is not None)
    await writer.shows(lambda status: status["requests_in_flight"] == 0)
    assert await _requests(writer, "400") < 100
    stage.app.faults.clear()
    kafka, control = stage.connection.kafka, stage.topics.control
    await set_guard(kafka, control, "running", reason="the property is known now", by="a test")
    codes = [code_of(receipt) for receipt in (await stage.settled(sources)).values()]
    assert set(codes) == {"400", "CREATED"}
    assert codes.count("400") < 50


async def test_newer_value_is_not_overtaken_by_an_older_one_whose_answer_was_lost(stage: Stage) -> None:
    writer = stage.writer(stage.settings(window={"max_age_s": 0}))
    await writer.owns(2)
    stage.app.faults.add(Latency(seconds=TIMEOUT_S + 2, method="PUT"))  # within settle_s, which is 4 s here
    older, newer, other = await stage.publish([record("k", v="old"), record("k", v="new"), record("other")])
    await stage.settled([other])
    assert stage.sent(newer) == []
    await stage.settled([older, newer])
    applied = [entry.identifier for entry in stage.app.vendor.ledger.entries(LedgerFilter())]
    assert applied.count(f"{older[0]}-{older[1]}") == 2
    assert [one for one in applied if one != f"{other[0]}-{other[1]}"][-1] == f"{newer[0]}-{newer[1]}"
