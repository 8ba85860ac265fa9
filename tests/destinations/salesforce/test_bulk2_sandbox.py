"""Bulk API 2.0 against its stand-in, over HTTP: the two were written from the document by different hands."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
import pytest
import pytest_asyncio

from sandbox.faults.fault import Outage, Status
from sandbox.salesforce.faults import FailBatch, HideFields, Moved, NearlyUsedUp, SlowJob
from sandbox.salesforce.settings import Settings
from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable
from sluice.destinations.salesforce.login_settings import SoapLogin
from sluice.destinations.vendor_jobs import Gone, Over, Quota, RefusedItems, ResultsGone, Running
from sluice.flow.outcome import Fate
from sluice.setting_types import Secret
from tests.destinations.salesforce.served_bulk2 import ServedBulk2, contact, served_bulk2
from tests.destinations.salesforce.served_org import LOGIN
from tests.support.factories import record

JOBS = "/services/data/v59.0/jobs/ingest"
INSERTS = [record("Contact", "insert", None, {"LastName": f"Berg {row}"}) for row in range(3)]


@pytest_asyncio.fixture(name="acme")
async def _acme() -> AsyncIterator[ServedBulk2]:
    async with served_bulk2() as org:
        yield org


async def test_records_are_upserted_row_by_row(acme: ServedBulk2) -> None:
    assert await acme.codes(contact(1), contact(2, LastName=None), contact(3)) == [
        "Created",
        "REQUIRED_FIELD_MISSING",
        "Created",
    ]
    assert await acme.codes(contact(1, Phone="12"), contact(4)) == ["Success", "Created"]
    assert acme.count() == 3


async def test_every_operation_is_taken(acme: ServedBulk2) -> None:
    outcomes = await acme.collect(await acme.submit(*INSERTS), *INSERTS)
    keys = [str(outcome.record_id) for outcome in outcomes if outcome]
    assert await acme.codes(record("Contact", "update", keys[0], {"Phone": "12"})) == ["Success"]
    delete = record("Contact", "delete", keys[0])
    assert await acme.codes(delete) == ["Success"]
    [outcome] = await acme.collect(await acme.submit(delete), delete)
    assert outcome is not None
    assert (outcome.fate, outcome.code) == (Fate.SKIPPED, "ENTITY_IS_DELETED")
    assert await acme.codes(record("Contact", "hardDelete", keys[1])) == ["Success"]
    assert acme.count() == 1


async def test_keys_and_columns_in_another_case_are_joined(acme: ServedBulk2) -> None:
    """§13 rows 2 and 10"""
    event = record("contact", "upsert", {"ext__c": "abc"}, {"lastname": "Berg"})
    assert await acme.codes(event) == ["Created"]
    assert await acme.codes(record("Contact", "upsert", {"Ext__c": "ABC"}, {"LastName": "Lind"})) == ["Success"]


async def test_parents_are_found_by_their_external_id(acme: ServedBulk2) -> None:
    """§13 row 13"""
    await acme.codes(record("Account", "upsert", {"Ext__c": "P-1"}, {"Name": "Acme"}))
    assert await acme.codes(contact(1, Account={"Ext__c": "P-1"}), contact(2)) == ["Created", "Created"]


async def test_a_large_batch_is_taken_and_its_rows_joined(acme: ServedBulk2) -> None:
    """§4.1: internal batches of 10,000 and results in another order"""
    events = [contact(row) for row in range(20_500)]
    assert set(await acme.codes(*events)) == {"Created"}
    assert acme.count() == 20_500


async def test_calls_are_few(acme: ServedBulk2) -> None:
    await acme.codes(contact(0))
    before = (await acme.control.calls())["bulk2"]
    await acme.codes(contact(1))
    assert (await acme.control.calls())["bulk2"] - before == 5  # create, put, start, state, successes
    found = [await acme.submit(contact(row)) for row in range(20)]
    await acme.control.add_fault(SlowJob(phase_s=3600, times=None, path=JOBS, method="PATCH"))
    running = [await acme.submit(contact(row)) for row in range(20)]
    before = (await acme.control.calls())["bulk2"]
    states = [state async for _, state in acme.destination.poll([*found, *running])]
    assert [type(state) for state in states] == [Over] * 20 + [Running] * 20
    assert (await acme.control.calls())["bulk2"] - before == 21  # the list, and the counts of those that are over


async def test_sessions_are_renewed_once_in_every_step(acme: ServedBulk2) -> None:
    body = '[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]'
    expired = Status(status=401, body=body, content_type="application/json", path="/services/data")
    for skip in range(7):
        await acme.control.add_fault(msgspec.structs.replace(expired, skip=skip))
        assert await acme.codes(contact(skip)) == ["Created"]
        await acme.control.clear_faults()
    assert acme.count() == 7
    await acme.control.expire_tokens()
    await asyncio.gather(*(acme.submit(contact(row)) for row in range(10)))
    assert (await acme.control.state())["sessions"] == 1


@pytest.mark.parametrize("status", [301, 302])
async def test_an_org_that_has_moved_is_followed_by_a_new_login(acme: ServedBulk2, status: Literal[301, 302]) -> None:
    """§13 row 16"""
    await acme.codes(contact(1))
    place = acme.settings.url.replace("127.0.0.1", "localhost")
    await acme.control.add_fault(Moved(location=place, status=status))
    assert await acme.codes(contact(2)) == ["Created"]


async def test_an_org_that_has_moved_and_does_not_say_so_stops_with_its_new_address(acme: ServedBulk2) -> None:
    """§13 row 16"""
    place = acme.settings.url.replace("127.0.0.1", "localhost")
    await acme.control.add_fault(Moved(location=place, login_names_it=False))
    with pytest.raises(Misconfigured, match="localhost"):
        await acme.submit(contact(1))


async def test_a_field_that_is_gone_since_it_was_described_is_found_by_a_new_description(acme: ServedBulk2) -> None:
    """§13 row 15: nothing is halved"""
    await acme.codes(contact(0, Email="a@example.com"))
    await acme.control.add_fault(HideFields(object="Contact", fields=("Email",), times=None))
    events = [contact(1, Email="a@example.com"), contact(2)]
    refs = await acme.submit(*events)
    with pytest.raises(Refused, match="Email"):
        await acme.collect(refs, *events)
    with pytest.raises(RefusedItems) as refused:
        await acme.submit(*events)
    assert list(refused.value.rejections) == [0]
    assert await acme.codes(contact(2)) == ["Created"]


async def test_the_days_budget_is_told_and_waited_for(acme: ServedBulk2) -> None:
    refs = await acme.submit(contact(1))
    await acme.finish(refs)
    await acme.control.add_fault(NearlyUsedUp(batches_left=0))
    with pytest.raises(Unavailable) as outage:
        await acme.submit(contact(2))
    assert outage.value.reason == "quota"
    assert (await acme.states())["Open"] == 0
    await acme.poll(refs)
    assert acme.destination.quotas["DailyBulkApiBatches"] == Quota(0, 15_000)


async def test_an_outage_is_an_outage_in_every_verb(acme: ServedBulk2) -> None:
    refs = await acme.submit(contact(1))
    over = await acme.finish(refs)
    for fault in (Outage(seconds=3600), Status(status=503, times=None, path="/services/data")):
        await acme.control.add_fault(fault)
        for ask in (
            lambda: acme.submit(contact(2)),
            lambda: acme.poll(refs),
            lambda: acme.find([dict(refs)]),
            lambda: acme.destination.abort(refs),
            lambda: acme.destination.check(),
            lambda: _all(acme.destination.collect(refs, over, 1)),
            lambda: _all(acme.destination.jobs()),
        ):
            with pytest.raises(Unavailable):
                await ask()
        await acme.control.clear_faults()
    assert await acme.codes(contact(2)) == ["Created"]


async def _all(found: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in found]


async def test_a_job_that_somebody_else_aborts_has_the_fates_of_what_it_has_done() -> None:
    """§4.1"""
    async with served_bulk2(Settings(internal_batch_rows=2, in_progress_s=60)) as acme:
        events = [contact(row) for row in range(6)]
        refs = await acme.submit(*events)
        await acme.control.advance(25)
        await acme.control.abort_job(refs["job"])
        over = await acme.finish(refs)
        assert (over.word, over.aborted, over.processed) == ("Aborted", True, 2)
        outcomes = await acme.collect(refs, *events)
        assert [outcome and outcome.code for outcome in outcomes] == ["Created"] * 2 + [None] * 4


async def test_our_own_abort_ends_a_job_and_is_harmless_twice(acme: ServedBulk2) -> None:
    await acme.control.add_fault(SlowJob(phase_s=3600, path=JOBS, method="PATCH"))
    refs = await acme.submit(contact(1))
    assert await acme.poll(refs) == Running("UploadComplete")
    await acme.destination.abort(refs)
    await acme.destination.abort(refs)
    await acme.destination.abort({"job": "750000000000000AAA"})
    assert await acme.collect(refs, contact(1)) == [None]
    assert acme.count() == 0


@pytest.mark.parametrize(("rows", "expected"), [(0, ["Timeout"] * 3), (1, ["Created", None, None])])
async def test_a_job_that_failed_has_the_fates_of_what_it_has_done(
    acme: ServedBulk2, rows: int, expected: list[str | None]
) -> None:
    """§4.1, §12"""
    await acme.control.add_fault(FailBatch(rows_written=rows, code="Timeout", message="slow", path=JOBS))
    events = [contact(row) for row in range(3)]
    outcomes = await acme.collect(await acme.submit(*events), *events)
    assert [outcome and outcome.code for outcome in outcomes] == expected
    assert acme.count() == rows


async def test_jobs_of_a_week_ago_are_gone(acme: ServedBulk2) -> None:
    """§7, §13 row 17"""
    refs = await acme.submit(contact(1))
    over = await acme.finish(refs)
    await acme.control.advance(8 * 86_400)
    assert isinstance(await acme.poll(refs), Gone)
    with pytest.raises(ResultsGone):
        await _all(acme.destination.collect(refs, over, 1))
    with pytest.raises(Ambiguous):
        await acme.find([dict(refs)])


async def test_jobs_are_listed_with_what_they_are_for(acme: ServedBulk2) -> None:
    await acme.codes(contact(1))
    await acme.codes(*INSERTS)
    found = [(job.word, job.over, job.batch_key) async for job in acme.destination.jobs()]
    assert sorted(found) == [("JobComplete", True, "Contact/insert"), ("JobComplete", True, "Contact/upsert/Ext__c")]


async def test_a_check_says_who_answers_and_leaves_nothing_open() -> None:
    async with served_bulk2(hard_deletes=("Contact",), external_ids={"Account": "Ext__c"}) as acme:
        assert await acme.destination.check() == (
            "Salesforce at 127.0.0.1 accepts the user loader@example.com; API version 59.0; left today: "
            "999,997 of 1,000,000 API requests, 15,000 of 15,000 batches; takes inserts of Contact (Title)"
        )
        assert await acme.states() == {"Aborted": 1}


@pytest.mark.parametrize(
    ("settings", "changes", "expected"),
    [
        pytest.param(
            Settings(),
            {"login": SoapLogin(username="loader@example.com", password=Secret("wr0ng"))},
            "INVALID_LOGIN",
            id="a wrong password",
        ),
        pytest.param(Settings(allow_soap_login=False), {}, "use another flow", id="no SOAP login"),
        pytest.param(Settings(), {"api_version": "100.0"}, "correct `url` and `api_version`", id="no such version"),
        pytest.param(
            Settings(), {"identifier_fields": {"Contact": "Own__c"}}, "field Own__c of Contact", id="no such field"
        ),
        pytest.param(
            Settings(),
            {
                "hard_deletes": ("Contact",),
                "login": SoapLogin(
                    username="limited@example.com", password=Secret("limited-password"), security_token=Secret("TOKEN")
                ),
            },
            "Bulk API Hard Delete",
            id="no right to delete for good",
        ),
    ],
)
async def test_a_check_says_what_a_person_must_change(
    settings: Settings, changes: dict[str, Any], expected: str
) -> None:
    async with served_bulk2(settings, **changes) as acme:
        with pytest.raises(Misconfigured, match=expected) as error:
            await acme.destination.check()
        assert "wr0ng" not in str(error.value)
        assert isinstance(LOGIN, SoapLogin)
        assert LOGIN.password.reveal() not in str(error.value)
