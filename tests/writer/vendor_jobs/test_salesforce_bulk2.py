"""Salesforce's Bulk API 2.0 on a real Kafka, from publishing to receipts: nothing is sent twice, lost, or overtaken."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.faults.fault import DropAfter, DropBefore, Selection, Status, StatusAfter
from sandbox.salesforce.faults import HideFields, HoldJobs, MissingFileRows
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sluice.client.receipts import DeadLetter
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Message, Stage, StagedKind, code_of, record, staged
from tests.support.writer_process import eventually

ITEMS = 120
JOBS = "/services/data/v59.0/jobs/ingest"
LOGIN = {"flow": "soap", "username": "loader@example.com", "password": "loader-password", "security_token": "TOKEN"}
IDENTIFIER_FIELD = "Title"
"""A field that is not unique: what is inserted twice is there twice."""
KIND = StagedKind(
    {
        "kind": "salesforce_bulk2",
        "login": LOGIN,
        "external_ids": {"Contact": "Ext__c"},
        "identifier_fields": {"Contact": IDENTIFIER_FIELD},
        "read_lag_s": 0.2,
    }
)


@pytest.fixture(name="org")
def _org() -> Salesforce:
    return Salesforce(Settings(identifier_field=IDENTIFIER_FIELD))


@pytest_asyncio.fixture(name="stage")
async def _stage(kafka: RunningKafka, prefix: str, tmp_path: Path, org: Salesforce) -> AsyncIterator[Stage]:
    async with staged(kafka, prefix, tmp_path, vendor=org, kind=KIND) as stage:
        yield stage


def _inserts(count: int = ITEMS) -> list[Message]:
    return [
        record(None, object="Contact", operation="insert", LastName=f"Berg {number}")._replace(key=b"%d" % number)
        for number in range(count)
    ]


def _upsert(number: int, name: str, **data: Any) -> Message:
    return record(f"A-{number}", object="Contact", LastName=name, **data)


def _names(org: Salesforce) -> Counter[str]:
    """Count the vendor's contacts by name."""
    table = org.org.tables["contact"]
    place = table.kind.slot("LastName")
    assert place is not None
    return Counter(str(row[place]) for _, row in table.scan())


def _hold(org: Salesforce) -> None:
    org.org.faults.add(HoldJobs(times=None))


def _release(org: Salesforce) -> None:
    org.org.faults.clear()
    org.org.holding.release()


async def _waiting(org: Salesforce, jobs: int = 1) -> None:
    """Wait until the vendor has ``jobs`` that wait."""

    async def look() -> bool:
        return [job.listing()["state"] for job in org.org.jobs].count("UploadComplete") >= jobs

    await eventually(look)


async def test_results_become_receipts(stage: Stage, org: Salesforce) -> None:
    writer = stage.writer(stage.settings())
    places = await stage.publish(
        [_upsert(n, f"Berg {n}", **({"Email": "no address"} if n % 10 == 3 else {})) for n in range(40)]
    )
    receipts = await stage.settled(places)
    codes = [code_of(receipts[place]) for place in places]
    assert codes == ["INVALID_EMAIL_ADDRESS" if n % 10 == 3 else "Created" for n in range(40)]
    assert sum(_names(org).values()) == 36
    await writer.stop()


async def test_an_unknown_field_is_a_dead_letter_and_harms_no_other(stage: Stage, org: Salesforce) -> None:
    """§13 row 15: by the description, and for a field that is hidden from loads alone, by halving."""
    org.org.faults.add(HideFields(object="Contact", fields=("Phone",), times=None, method="PATCH"))
    stage.writer(stage.settings())
    places = await stage.publish(
        [_upsert(n, f"Berg {n}", **{5: {"Nowhere__c": "x"}, 7: {"Phone": "1"}}.get(n, {})) for n in range(20)]
    )
    receipts = await stage.settled(places)
    codes = {n: code_of(receipts[place]) for n, place in enumerate(places)}
    assert {n: code for n, code in codes.items() if code != "Created"} == {5: "unknown-field", 7: "InvalidBatch"}
    assert sum(_names(org).values()) == 18


async def test_a_writer_that_is_killed_inserts_nothing_twice(stage: Stage, org: Salesforce) -> None:
    _hold(org)
    config = stage.settings()
    writer = stage.writer(config)
    places = await stage.publish(_inserts())
    await _waiting(org, 2)
    await writer.kill()
    _release(org)
    stage.writer(config)
    receipts = await stage.settled(places)
    assert {code_of(receipt) for receipt in receipts.values()} == {"Created"}
    assert _names(org) == Counter(f"Berg {number}" for number in range(ITEMS))


async def test_polls_that_fail_insert_nothing_twice(stage: Stage, org: Salesforce) -> None:
    """The naive kind made 300 contacts of 100 inserts here."""
    _hold(org)
    stage.writer(stage.settings())
    places = await stage.publish(_inserts())
    await _waiting(org)
    _release(org)
    org.org.faults.add(Status(status=503, times=3, path=JOBS, method="GET"))
    await stage.settled(places)
    assert _names(org) == Counter(f"Berg {number}" for number in range(ITEMS))


async def test_a_newer_value_waits_for_a_slow_job_over_a_rolling_restart(stage: Stage, org: Salesforce) -> None:
    _hold(org)
    config = stage.settings()
    first = stage.writer(config)
    places = await stage.publish([_upsert(n, "old") for n in range(20)])
    await _waiting(org)
    second = stage.writer(config)
    places += await stage.publish([_upsert(n, "new") for n in range(20)])
    await first.stop()
    third = stage.writer(config)
    await second.stop()
    await third.owns(2)
    _release(org)
    receipts = await stage.settled(places)
    assert [code_of(receipts[place]) for place in places] == ["Created"] * 20 + ["Success"] * 20
    assert _names(org) == {"new": 20}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DropAfter(method="POST", path=JOBS), id="of the job that was made"),
        pytest.param(DropAfter(method="PUT", path=JOBS), id="of the rows, which had arrived"),
        pytest.param(DropBefore(method="PATCH", path=JOBS), id="of the start, which had not arrived"),
        pytest.param(DropAfter(method="PATCH", path=JOBS), id="of the start, which had arrived"),
        pytest.param(StatusAfter(status=504, method="PATCH", path=JOBS), id="of the start, by a proxy"),
    ],
)
async def test_a_lost_answer_doubles_no_insert(stage: Stage, org: Salesforce, fault: Selection) -> None:
    stage.app.faults.add(fault)
    stage.writer(stage.settings())
    places = await stage.publish(_inserts(30))
    receipts = await stage.settled(places)
    assert {code_of(receipt) for receipt in receipts.values()} == {"Created"}
    assert _names(org) == Counter(f"Berg {number}" for number in range(30))


async def test_a_job_that_somebody_else_aborts_is_not_sent_again(stage: Stage, org: Salesforce) -> None:
    _hold(org)
    stage.writer(stage.settings(window={"max_items": 1000, "max_age_s": 1.0}))
    places = await stage.publish(_inserts(30))
    await _waiting(org)
    for job in org.org.jobs:
        job.abort(org.org.clock.now())
    receipts = await stage.settled(places)
    letters = [receipt for receipt in receipts.values() if isinstance(receipt, DeadLetter)]
    assert Counter((letter.error_class, letter.code) for letter in letters) == {("cancelled", "aborted-at-vendor"): 30}
    assert _names(org) == {}


async def test_rows_that_stand_in_no_result_are_ambiguous_inserts(stage: Stage, org: Salesforce) -> None:
    """§13 row 3"""
    stage.app.faults.add(MissingFileRows(rows=2, written=True, method="PATCH", path=JOBS))
    stage.writer(stage.settings(window={"max_items": 10, "max_age_s": 2.0}))
    places = await stage.publish(_inserts(10))
    receipts = await stage.settled(places)
    letters = [receipt for receipt in receipts.values() if isinstance(receipt, DeadLetter)]
    assert {(letter.error_class, letter.code) for letter in letters} == {("ambiguous", "no-result")}
    assert sum(_names(org).values()) == 10
