"""Bulk API 2.0 as a job destination: the order of its steps, and what it raises when one of them fails."""

import httpx
import pytest

from sluice.destinations import load_kind
from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Rejection, Unavailable
from sluice.destinations.salesforce.bulk2 import Bulk2
from sluice.destinations.salesforce.settings import Bulk2Settings
from sluice.destinations.vendor_jobs import JobDestination, Refs, RefusedItems, VendorJob
from tests.destinations.salesforce.bulk2_texts import job, rest_error
from tests.destinations.salesforce.offline_bulk2 import (
    CONTACT_EVENT,
    J1,
    J2,
    LOST,
    UPLOAD,
    Fault,
    OfflineBulk2,
)
from tests.support.factories import encode_batch, record

SUBMITTED = ["create", f"named {J1}", f"put {J1}", f"start {J1}"]


def test_it_is_a_job_destination() -> None:
    org = OfflineBulk2()
    assert isinstance(org.destination, JobDestination)
    assert load_kind("salesforce_bulk2") == (Bulk2Settings, Bulk2)
    assert org.destination.joins_by == "identity"


def test_its_limits_are_the_vendors_and_the_settings() -> None:
    """§7, §12"""
    limits = OfflineBulk2().destination.limits
    assert (limits.max_items, limits.max_bytes, limits.max_header_bytes, limits.max_jobs) == (
        20_000,
        100_000_000,
        32_000,
        100,
    )
    wide = OfflineBulk2(max_items_per_job=100_000, max_jobs=7).destination.limits
    assert (wide.max_items, wide.max_jobs) == (100_000, 7)


def test_an_insert_without_a_field_for_its_identifier_is_rejected() -> None:
    """§12: results tell inserts apart by nothing else."""
    insert = record("Contact", "insert", None, {"LastName": "Berg"})
    with pytest.raises(Rejection, match="identifier_fields"):
        OfflineBulk2().destination.encode(insert, "0-1")
    encoded = OfflineBulk2(identifier_fields={"Contact": "Own__c"}).destination.encode(insert, "0-1")
    assert (encoded.columns, encoded.body, encoded.identity) == (("Own__c", "LastName"), b"0-1,Berg", "0-1")


async def test_columns_are_spelt_as_the_org_spells_them() -> None:
    """§13 row 2: no other spelling is repeated in results."""
    org = OfflineBulk2()
    upload = await org.prepare(
        record("Contact", "upsert", {"ext__c": "A-1"}, {"lastname": "Berg", "account": {"Ext__c": "B"}}),
    )
    assert upload.body == b"Ext__c,LastName,Account.Ext__c\nA-1,Berg,B"
    assert org.steps == ["limits", "describe Contact", "describe Account"]


async def test_records_that_the_org_would_refuse_are_named_before_anything_is_sent() -> None:
    """§6, §13 row 15"""
    org = OfflineBulk2()
    with pytest.raises(RefusedItems) as refused:
        await org.prepare(CONTACT_EVENT, record("Contact", "upsert", {"Ext__c": "A-2"}, {"Foo": "x"}))
    assert {row: one.code for row, one in refused.value.rejections.items()} == {1: "unknown-field"}
    assert org.steps == ["limits", "describe Contact"]


async def test_a_job_starts_once_it_is_named_and_has_its_rows() -> None:
    """§4.1"""
    org = OfflineBulk2()
    assert await org.submit() == {"job": J1}
    assert org.steps == SUBMITTED
    assert (org.bodies, org.jobs) == ({J1: UPLOAD.body}, {J1: "UploadComplete"})
    assert org.orders == [
        {
            "object": "Contact",
            "operation": "upsert",
            "externalIdFieldName": "Ext__c",
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
    ]


async def test_an_assignment_rule_is_sent_for_its_object_alone() -> None:
    """§4.1"""
    org = OfflineBulk2(assignment_rule_ids={"Case": "01Q000000000001"}, external_ids={"Case": "Ext__c"})
    await org.submit(record("case", "upsert", "A-1", {"Subject": "x"}))
    await org.submit()
    assert [order.get("assignmentRuleId") for order in org.orders] == ["01Q000000000001", None]


@pytest.mark.parametrize("operation", ["update", "delete", "hardDelete"])
async def test_other_operations_have_no_external_id(operation: str) -> None:
    org = OfflineBulk2()
    await org.submit(record("Contact", operation, "003X00000000001AAA", {"LastName": "x"}))  # type: ignore[arg-type]
    assert "externalIdFieldName" not in org.orders[0]
    assert org.orders[0]["operation"] == operation


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        pytest.param("create", LOST, Unavailable, id="§8 create is lost"),
        pytest.param("create", httpx.Response(503), Unavailable, id="§4.3 create meets maintenance"),
        pytest.param("create", rest_error("UNKNOWN_EXCEPTION", status=500), Unavailable, id="§4.3 create fails"),
        pytest.param("create", rest_error("INVALIDJOB"), Refused, id="§4.3 create is refused"),
        pytest.param("create", rest_error("INVALIDENTITY"), Refused, id="§4.3 no such object"),
        pytest.param("create", httpx.Response(400), Misconfigured, id="create is refused by a proxy"),
        pytest.param("create", rest_error("FEATURENOTENABLED"), Misconfigured, id="§4.3 no permission"),
        pytest.param("create", rest_error("NOT_FOUND", status=404), Misconfigured, id="§4.3 no such API"),
        pytest.param("create", rest_error("METHOD_NOT_ALLOWED", status=405), Misconfigured, id="§4.3 not allowed"),
        pytest.param("create", rest_error("ANY", status=403), Misconfigured, id="§4.3 forbidden"),
        pytest.param("create", httpx.Response(410), Misconfigured, id="§4.3 a retired version"),
        pytest.param("create", rest_error("REQUEST_LIMIT_EXCEEDED", status=403), Unavailable, id="§4.3 calls a day"),
        pytest.param("create", rest_error("EXCEEDEDQUOTA"), Unavailable, id="§4.3 batches a day"),
        pytest.param("create", httpx.Response(200, json={}), Unavailable, id="create answers no job"),
        pytest.param("put", LOST, Unavailable, id="§8 put is lost"),
        pytest.param("put", httpx.Response(502), Unavailable, id="put fails at a proxy"),
        pytest.param("put", rest_error("CLIENTINPUTERROR"), Unavailable, id="§4.3 put is cut off"),
        pytest.param(
            "put", rest_error("CLIENTINPUTERROR", "Exceeded max size limit of 150000000"), Refused, id="§4.3 too large"
        ),
        pytest.param("put", rest_error("INVALIDBATCH"), Refused, id="§4.3 put is refused"),
        pytest.param("start", rest_error("EXCEEDEDQUOTA"), Unavailable, id="§4.3 no batch is left today"),
        pytest.param("start", rest_error("API_ERROR"), Refused, id="§4.3 start is refused"),
        pytest.param("start", httpx.ConnectError("refused"), Unavailable, id="start does not leave"),
    ],
)
async def test_a_step_that_fails_leaves_nothing_open(call: str, answer: Fault, expected: type[BatchError]) -> None:
    org = OfflineBulk2()
    org.faults[call] = [answer]
    with pytest.raises(expected):
        await org.submit()
    assert org.jobs == ({} if call == "create" else {J1: "Aborted"})


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(LOST, id="§8 lost"),
        pytest.param(httpx.Response(504), id="a proxy has no patience"),
        pytest.param(httpx.Response(429), id="a proxy refuses it"),
        pytest.param(rest_error("UNKNOWN_EXCEPTION", status=500), id="§4.3 it fails"),
        pytest.param(rest_error("SERVER_UNAVAILABLE", status=503), id="§4.3 away"),
        pytest.param(httpx.Response(200, html="<p>Hello"), id="a page"),
        pytest.param(rest_error("CLIENTINPUTERROR"), id="§4.3 cut off"),
    ],
)
async def test_a_start_whose_answer_is_lost_is_ambiguous_and_ended_by_who_looks_for_it(answer: Fault) -> None:
    org = OfflineBulk2()
    org.faults["start"] = [answer]
    with pytest.raises(Ambiguous):
        await org.submit()
    assert org.steps == SUBMITTED
    assert await org.find({"job": J1}) is None
    assert org.jobs == {J1: "Aborted"}


async def test_a_job_that_cannot_be_aborted_hides_no_error() -> None:
    org = OfflineBulk2()
    org.faults = {"put": [LOST], "abort": [LOST]}
    with pytest.raises(Unavailable, match="batches"):
        await org.submit()
    assert org.jobs == {J1: "Open"}


async def test_a_batch_that_was_not_named_is_not_started() -> None:
    org = OfflineBulk2()

    async def fail(refs: Refs) -> None:
        raise LookupError(refs["job"])

    with pytest.raises(LookupError):
        await org.destination.submit(encode_batch(org.destination, [CONTACT_EVENT]), UPLOAD, fail, lambda: None)
    assert (org.steps, org.jobs) == (["create", f"abort {J1}"], {J1: "Aborted"})


async def test_a_target_that_is_refused_is_asked_for_once_and_not_for_each_record() -> None:
    """§4.3"""
    org = OfflineBulk2()
    org.faults["create"] = [rest_error("INVALIDENTITY")]
    with pytest.raises(Refused):
        await org.submit()
    with pytest.raises(RefusedItems) as refused:
        await org.prepare(CONTACT_EVENT)
    assert refused.value.rejections[0].code == "INVALIDENTITY"
    await org.prepare(record("Contact", "update", "003X00000000001AAA", {"LastName": "x"}))


@pytest.mark.parametrize(("step", "code"), [("put", "INVALIDJOBSTATE"), ("put", "INVALIDJOB"), ("start", "INVALIDJOB")])
async def test_a_job_that_is_of_no_use_is_an_outage_and_made_anew(step: str, code: str) -> None:
    """§4.1: somebody has ended it, or filled it twice"""
    org = OfflineBulk2()
    org.faults[step] = [rest_error(code)]
    with pytest.raises(Unavailable, match="somebody has ended our job"):
        await org.submit()
    assert await org.submit() == {"job": J2}


async def test_a_start_that_came_twice_has_started_the_job() -> None:
    """A proxy may repeat a PATCH: the second is refused, the first has worked."""
    org = OfflineBulk2()
    org.faults = {"start": [rest_error("INVALIDJOBSTATE")], "job": [job("InProgress", job=J1)]}
    assert await org.submit() == {"job": J1}


async def test_a_refused_start_of_which_nobody_can_tell_is_ambiguous() -> None:
    org = OfflineBulk2()
    org.faults = {"start": [rest_error("INVALIDJOBSTATE")], "job": [LOST]}
    with pytest.raises(Ambiguous, match="cannot be read"):
        await org.submit()


@pytest.mark.parametrize("state", ["JobComplete", "Failed", "Aborted", None])
async def test_to_abort_what_is_over_does_nothing(state: str | None) -> None:
    org = OfflineBulk2()
    org.jobs |= {} if state is None else {J1: state}
    await org.destination.abort({"job": J1})


async def test_an_abort_ends_a_job() -> None:
    org = OfflineBulk2()
    org.jobs[J1] = "InProgress"
    await org.destination.abort({"job": J1})
    assert org.jobs[J1] == "Aborted"
    org.faults["abort"] = [rest_error("API_ERROR"), LOST]
    for _ in range(2):
        with pytest.raises(Unavailable):
            await org.destination.abort({"job": J1})


async def test_to_close_costs_no_call_and_jobs_are_listed() -> None:
    org = OfflineBulk2()
    org.jobs = {J1: "InProgress", J2: "JobComplete"}
    await org.destination.close({"job": J1})
    assert org.steps == []
    found: list[VendorJob] = [one async for one in org.destination.jobs()]
    assert [(one.refs, one.word, one.over, one.batch_key, one.created_by) for one in found] == [
        ({"job": J1}, "InProgress", False, "Contact/upsert/Ext__c", "005X0000000USERAAA"),
        ({"job": J2}, "JobComplete", True, "Contact/upsert/Ext__c", "005X0000000USERAAA"),
    ]


async def test_a_check_writes_to_a_job_that_is_not_there_and_tries_rights_to_delete_for_good() -> None:
    org = OfflineBulk2(hard_deletes=["Contact"])
    assert "API version 59.0" in await org.destination.check()
    assert org.steps == [
        "limits",
        "describe Contact",
        "abort 750000000000000AAA",
        "create",
        f"abort {J1}",
    ]
    assert org.orders[0]["operation"] == "hardDelete"


@pytest.mark.parametrize(
    ("step", "answer", "expected"),
    [
        ("abort", httpx.Response(403), Misconfigured),
        ("abort", LOST, Unavailable),
        ("create", rest_error("FEATURENOTENABLED"), Misconfigured),
    ],
)
async def test_a_check_raises_what_a_write_would_meet(step: str, answer: Fault, expected: type[BatchError]) -> None:
    org = OfflineBulk2(hard_deletes=["Contact"])
    org.faults[step] = [answer]
    with pytest.raises(expected):
        await org.destination.check()
