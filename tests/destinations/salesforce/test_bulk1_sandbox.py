"""Bulk API 1.0 against its stand-in, over HTTP: the two were written from the document by different hands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from sandbox.faults.fault import DropAfter, DropBefore, Selection, Status, StatusAfter
from sandbox.salesforce.faults import FailBatch, NearlyUsedUp, SlowJob
from sandbox.salesforce.settings import Settings
from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.destinations.salesforce.login_settings import SoapLogin
from sluice.destinations.vendor_jobs import Gone, Over, Quota, Refs, ResultsGone, ResultsIncomplete, Running
from sluice.flow.outcome import Fate
from sluice.setting_types import Secret
from tests.destinations.salesforce.served_org import LOGIN, ServedOrg, contact, served_org
from tests.support.factories import encode_batch, record, send_now

JOB = "/services/async/59.0/job/"
INSERTS = [record("Contact", "insert", None, {"LastName": f"Berg {row}"}) for row in range(3)]


@pytest_asyncio.fixture(name="acme")
async def _acme() -> AsyncIterator[ServedOrg]:
    async with served_org() as org:
        yield org


async def test_records_are_upserted_row_by_row(acme: ServedOrg) -> None:
    assert await acme.codes(contact(1), contact(2, LastName=None), contact(3)) == [
        "Created",
        "REQUIRED_FIELD_MISSING",
        "Created",
    ]
    assert await acme.codes(contact(1, Title="Dr"), contact(4)) == ["Success", "Created"]
    assert acme.count() == 3


@pytest.mark.parametrize("changes", [{"content_type": "JSON"}, {"content_type": "XML"}, {"gzip": False}])
async def test_each_form_of_a_batch_is_taken(changes: dict[str, Any]) -> None:
    async with served_org(**changes) as acme:
        assert await acme.codes(contact(1), contact(2, LastName=None)) == ["Created", "REQUIRED_FIELD_MISSING"]


async def test_every_operation_is_taken(acme: ServedOrg) -> None:
    refs = await acme.submit(*INSERTS)
    ids = [outcome.record_id for outcome in await acme.collect(refs, 3) if outcome]
    keys = [str(id_) for id_ in ids]
    assert await acme.codes(record("Contact", "update", keys[0], {"Title": "Dr"})) == ["Success"]
    assert await acme.codes(record("Contact", "delete", keys[0])) == ["Success"]
    refs = await acme.submit(record("Contact", "delete", keys[0]))
    [outcome] = await acme.collect(refs, 1)
    assert outcome is not None
    assert (outcome.fate, outcome.code) == (Fate.SKIPPED, "ENTITY_IS_DELETED")
    assert await acme.codes(record("Contact", "hardDelete", keys[1])) == ["Success"]
    assert acme.count() == 1


async def test_twenty_batches_share_a_job_and_one_renewal_of_the_session(acme: ServedOrg) -> None:
    await acme.codes(contact(0))
    await acme.control.expire_tokens()
    found = await asyncio.gather(*(acme.submit(contact(row)) for row in range(20)))
    assert len({refs["job"] for refs in found}) == 1
    assert (await acme.control.state())["sessions"] == 1
    states = [state async for _, state in acme.destination.poll(found)]
    assert all(isinstance(state, Over) for state in states)


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        pytest.param(DropBefore(path=JOB, method="POST"), False, id="lost on the way"),
        pytest.param(DropAfter(path=JOB, method="POST"), True, id="§8 its answer is lost"),
        pytest.param(Status(path=JOB, method="POST", status=502), False, id="a proxy refuses it"),
        pytest.param(StatusAfter(path=JOB, method="POST", status=504), True, id="a proxy has no patience"),
        pytest.param(Status(path=JOB, method="POST", status=401), False, id="a proxy asks for a password"),
        pytest.param(StatusAfter(path=JOB, method="POST", status=200, content_type="text/html"), True, id="a page"),
    ],
)
async def test_a_lost_insert_is_found_and_never_doubled(acme: ServedOrg, fault: Selection, arrived: bool) -> None:
    await acme.submit(*INSERTS[:1])
    await acme.control.add_fault(fault)
    with pytest.raises(Ambiguous):
        await acme.submit(*INSERTS)
    refs = await acme.find(*INSERTS)
    assert (refs is not None) == arrived
    refs = refs or await acme.submit(*INSERTS)
    assert len(await acme.collect(refs, 3)) == 3
    assert acme.count() == 4


@pytest.mark.parametrize("search", range(5))
@pytest.mark.parametrize("submit", range(4))
@pytest.mark.parametrize("drop", [DropBefore, DropAfter])
async def test_a_kill_at_any_call_of_a_submit_and_of_its_search_doubles_and_loses_nothing(
    acme: ServedOrg, drop: type[Selection], submit: int, search: int
) -> None:
    """§8: the first process dies at one of login, create and add, the second at one of login, close, list, request."""
    await acme.control.add_fault(drop(path="/services", skip=submit))
    async with acme.twin() as first:
        with suppress(BatchError):
            await first.submit(*INSERTS)
    await acme.control.clear_faults()
    await acme.control.add_fault(drop(path="/services", skip=search))
    async with acme.twin() as second:
        with suppress(BatchError):
            await second.find(*INSERTS, named=first.named)
    await acme.control.clear_faults()
    async with acme.twin() as third:
        refs = await third.find(*INSERTS, named=first.named) or await third.submit(*INSERTS)
        assert len(await third.collect(refs, 3)) == 3
    assert acme.count() == 3


async def test_a_process_that_was_frozen_before_its_batch_adds_nothing_when_it_wakes(acme: ServedOrg) -> None:
    async with acme.twin() as frozen, acme.twin() as owner:

        async def freeze(refs: Refs) -> None:
            frozen.named.append(dict(refs))
            if len(frozen.named) > 1:
                raise Unavailable("frozen", "the journal has another owner")
            assert await owner.find(*INSERTS, named=frozen.named) is None
            await owner.collect(await owner.submit(*INSERTS), 3)

        batch = encode_batch(frozen.destination, INSERTS)
        with pytest.raises(Unavailable, match="another owner"):
            await frozen.destination.submit(batch, frozen.upload(*INSERTS), freeze, send_now)
    assert acme.count() == 3


async def test_a_lost_job_wrote_nothing_and_is_made_again(acme: ServedOrg) -> None:
    await acme.control.add_fault(DropAfter(path=JOB[:-1], method="POST"))
    with pytest.raises(Unavailable):
        await acme.submit(*INSERTS)
    assert acme.named == []
    assert await acme.codes(*INSERTS) == ["Created"] * 3


async def test_a_job_that_somebody_closed_is_replaced(acme: ServedOrg) -> None:
    async with acme.twin() as twin:
        first = await twin.submit(contact(1))
        await acme.destination.abort(first)
        second = await twin.submit(contact(2))
    assert [refs["job"] for refs in twin.named] == [first["job"], first["job"], second["job"]]
    assert first["job"] != second["job"]


async def test_results_that_are_a_row_short_are_not_trusted(acme: ServedOrg) -> None:
    batch = await acme.submit(*INSERTS)
    over = await acme.finish(batch)
    with pytest.raises(ResultsIncomplete, match="expected results for 4 rows, got 3"):
        [pair async for pair in acme.destination.collect(batch, over, 4)]


async def test_a_batch_with_an_unknown_field_is_refused(acme: ServedOrg) -> None:
    refs = await acme.submit(contact(1, Foo="x"), contact(2))
    with pytest.raises(Refused, match="Field name not found") as refused:
        await acme.collect(refs, 2)
    assert refused.value.code == "InvalidBatch"
    assert acme.count() == 0


async def test_a_batch_that_failed_half_way_has_rows_that_nobody_can_place(acme: ServedOrg) -> None:
    """§3.10; §13, row 5"""
    await acme.control.add_fault(FailBatch(rows_written=1, path=JOB))
    refs = await acme.submit(contact(1), contact(2))
    over = await acme.finish(refs)
    assert (over.word, over.processed) == ("Failed", 1)
    with pytest.raises(ResultsIncomplete, match="expected results for 2 rows, got 1"):
        [pair async for pair in acme.destination.collect(refs, over, 2)]


async def test_a_batch_that_waits_when_its_job_is_aborted_touched_nothing(acme: ServedOrg) -> None:
    """§3.4, §3.10"""
    await acme.control.add_fault(SlowJob(phase_s=3600, path=JOB))
    refs = await acme.submit(contact(1))
    assert await acme.poll(refs) == Running("Queued")
    await acme.destination.abort(refs)
    assert (await acme.finish(refs)).aborted
    assert await acme.collect(refs, 1) == [None]
    assert acme.count() == 0


async def test_a_job_that_nobody_needs_is_closed(acme: ServedOrg) -> None:
    refs = await acme.submit(contact(1))
    await acme.collect(refs, 1)
    await acme.destination.close(refs)
    found = [(job.word, job.over, job.batch_key, job.items) async for job in acme.destination.jobs()]
    assert found == [("Closed", True, "Contact/upsert/Ext__c", 1)]


async def test_jobs_of_a_week_ago_are_gone(acme: ServedOrg) -> None:
    """§7, §13.17"""
    refs = await acme.submit(contact(1))
    over = await acme.finish(refs)
    await acme.destination.close(refs)
    await acme.control.advance(8 * 86_400)
    assert isinstance(await acme.poll(refs), Gone)
    with pytest.raises(ResultsGone):
        [pair async for pair in acme.destination.collect(refs, over, 1)]
    with pytest.raises(Ambiguous):
        await acme.find(contact(1))


async def test_the_days_budget_is_told_and_waited_for(acme: ServedOrg) -> None:
    refs = await acme.submit(contact(1))
    await acme.finish(refs)
    assert acme.destination.quotas["DailyBulkApiBatches"] == Quota(14_999, 15_000)
    await acme.control.add_fault(NearlyUsedUp(batches_left=0))
    with pytest.raises(Unavailable) as outage:
        await acme.submit(contact(2))
    assert outage.value.reason == "quota"
    await acme.poll(refs)
    assert acme.destination.quotas["DailyBulkApiBatches"].remaining == 0


async def test_a_check_says_who_answers(acme: ServedOrg) -> None:
    assert await acme.destination.check() == (
        "Salesforce at 127.0.0.1 accepts the user loader@example.com; API version 59.0; left today: "
        "999,999 of 1,000,000 API requests, 15,000 of 15,000 batches"
    )


async def test_a_check_tries_the_right_to_delete_for_good_and_leaves_nothing_open() -> None:
    async with served_org(hard_deletes=("Contact",)) as acme:
        await acme.destination.check()
        assert [job.word async for job in acme.destination.jobs()] == ["Aborted"]
    limited = SoapLogin(
        username="limited@example.com", password=Secret("limited-password"), security_token=Secret("TOKEN")
    )
    async with served_org(hard_deletes=("Contact",), login=limited) as acme:
        with pytest.raises(BatchError, match="Bulk API Hard Delete"):
            await acme.destination.check()


@pytest.mark.parametrize(
    ("settings", "changes", "expected"),
    [
        pytest.param(
            Settings(),
            {"login": SoapLogin(username="loader@example.com", password=Secret("wr0ng"))},
            "INVALID_LOGIN",
            id="a wrong password",
        ),
        pytest.param(Settings(bulk_enabled=False), {}, "FeatureNotEnabled", id="no Bulk API"),
        pytest.param(Settings(https_required=True), {}, "HttpsRequired", id="no TLS"),
        pytest.param(Settings(allow_soap_login=False), {}, "use another flow", id="no SOAP login"),
        pytest.param(Settings(), {"api_version": "100.0"}, "correct `url` and `api_version`", id="no such version"),
    ],
)
async def test_a_check_says_what_a_person_must_change(
    settings: Settings, changes: dict[str, Any], expected: str
) -> None:
    async with served_org(settings, **changes) as acme:
        with pytest.raises(Misconfigured, match=expected) as error:
            await acme.destination.check()
        assert "wr0ng" not in str(error.value)
        assert LOGIN.password.reveal() not in str(error.value)


async def test_a_user_without_the_right_to_hard_delete_is_told_so() -> None:
    limited = SoapLogin(
        username="limited@example.com", password=Secret("limited-password"), security_token=Secret("TOKEN")
    )
    async with served_org(login=limited) as acme:
        with pytest.raises(BatchError, match="Bulk API Hard Delete") as error:
            await acme.submit(record("Contact", "hardDelete", "003X00000000001AAA"))
    assert isinstance(error.value, Misconfigured)
