"""Job states, ``batch/status`` and ``batch/cancel`` as liquid_decisions.md §8, §9 and §12 have them."""

import re
from typing import Any

import msgspec
import pytest

from sandbox.faults.fault import DropAfter
from sandbox.liquid_decisions.faults import FailJob, SlowJob, UnknownStatus
from sandbox.liquid_decisions.settings import Settings
from tests.sandbox.liquid_decisions.service import BASE, Service, service

SLOW = Settings(initialize_s=100, queue_s=100, slice_s=100)
"""Each phase takes 100 s, so that real time does not matter."""
RECORDS = [{"accountId": f"k{number:03}"} for number in range(250)]
FIELDS = "submitTime jobId jobName contentType itemType recordsProcessed runTime status reason"


async def _after(liquid: Service, job: dict[str, Any], seconds: float) -> tuple[str, str]:
    """Return the job's status and records, so many seconds of the sandbox's clock later."""
    await liquid.wait(seconds)
    status = await liquid.status(job)
    return status["status"], status["recordsProcessed"]


async def test_the_status_object_is_the_documents(liquid: Service) -> None:
    status = await liquid.imported(RECORDS)
    assert " ".join(status) == FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", status["submitTime"])
    assert (status["recordsProcessed"], status["runTime"]) == ("250", "3")
    assert status["status"] == "Completed"


async def test_a_job_goes_through_its_states_by_the_clock() -> None:
    async with service(SLOW) as liquid:
        job = await liquid.submit_import(RECORDS)
        seen = [(job["status"], "0"), *[await _after(liquid, job, 101 if first else 100) for first in (1, 0, 0, 0, 0)]]
    assert seen == [
        ("Initialized", "0"),
        ("Accepted", "0"),
        ("Processing", "0"),
        ("Processing", "100"),
        ("Processing", "200"),
        ("Completed", "250"),
    ]


async def test_a_bad_job_is_initialized_before_it_is_rejected() -> None:
    async with service(SLOW) as liquid:
        job = await liquid.submit_import(b"nonsense")
        assert (job["status"], await _after(liquid, job, 101)) == ("Initialized", ("Rejected", "0"))


async def test_slices_show_as_soon_as_they_are_done_and_only_whole() -> None:
    async with service(SLOW) as liquid:
        job = await liquid.submit_import(RECORDS)
        await _after(liquid, job, 350)
        assert len(await liquid.items()) == 100


async def test_two_jobs_take_turns() -> None:
    async with service(SLOW) as liquid:
        await liquid.submit_import([{**one, "by": "first"} for one in RECORDS])
        await liquid.submit_import([{**one, "by": "second"} for one in RECORDS])
        await liquid.control.advance(350)
        entries = await liquid.control.ledger()
    assert [(one.request, one.key) for one in entries[99:101]] == [(2, "k099"), (3, "k000")]


@pytest.mark.parametrize(
    ("seconds", "reached", "end"),
    [
        pytest.param(50, "0", ("Canceled", "0"), id="§9 Initialized: ends with 0 records"),
        pytest.param(150, "0", ("Canceled", "0"), id="§9 Accepted: ends with 0 records"),
        pytest.param(250, "0", ("Canceled", "100"), id="§9 Processing: finishes its slice"),
        pytest.param(350, "100", ("Canceled", "200"), id="§9 Processing: keeps what it wrote"),
        pytest.param(450, "200", ("Completed", "250"), id="§8 Canceling in the last slice: Completed"),
    ],
)
async def test_a_cancel_is_looked_at_between_slices(seconds: float, reached: str, end: tuple[str, str]) -> None:
    async with service(SLOW) as liquid:
        job = await liquid.submit_import(RECORDS)
        await liquid.control.advance(seconds)
        noted = (await liquid.post("batch/cancel", jobId=job["jobId"])).json()
        again = (await liquid.post("batch/cancel", jobId=job["jobId"])).json()
        assert (noted["status"], noted["recordsProcessed"], again["status"]) == ("Canceling", reached, "Canceling")
        assert await _after(liquid, job, 1000) == end
        assert len(await liquid.items()) == int(end[1])


async def test_a_canceling_job_can_fail_in_its_last_slice(liquid: Service) -> None:
    """§8: Canceling, then Failed."""
    await liquid.control.add_fault(SlowJob(slice_s=100))
    await liquid.control.add_fault(FailJob(after_records=50))
    job = await liquid.submit_import(RECORDS)
    await liquid.control.advance(50)
    noted = (await liquid.post("batch/cancel", jobId=job["jobId"])).json()
    assert (noted["status"], await _after(liquid, job, 100)) == ("Canceling", ("Failed", "50"))


async def test_a_bad_job_that_is_canceled_in_time_is_canceled() -> None:
    """§8: Canceling never becomes Rejected."""
    async with service(SLOW) as liquid:
        job = await liquid.submit_import(b"nonsense")
        noted = (await liquid.post("batch/cancel", jobId=job["jobId"])).json()
        assert (noted["status"], await _after(liquid, job, 101)) == ("Canceling", ("Canceled", "0"))


async def test_slices_are_as_long_as_configured() -> None:
    """§9: 100 records, configurable."""
    async with service(msgspec.structs.replace(SLOW, slice_records=60)) as liquid:
        job = await liquid.submit_import(RECORDS)
        await liquid.control.advance(350)
        await liquid.post("batch/cancel", jobId=job["jobId"])
        assert await _after(liquid, job, 1000) == ("Canceled", "120")


async def test_a_job_that_is_over_cannot_be_canceled(liquid: Service) -> None:
    before = await liquid.imported(RECORDS)
    assert (await liquid.post("batch/cancel", jobId=before["jobId"])).json() == before


@pytest.mark.parametrize("call", [pytest.param("status", id="§8"), pytest.param("cancel", id="§9")])
@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        pytest.param({"jobId": "nonsense"}, 404, "not_found", id="unknown job"),
        pytest.param({"jobName": "run"}, 400, "invalid_request", id="a job is not found by its name"),
    ],
)
async def test_no_such_job_is_a_404(
    liquid: Service, call: str, fields: dict[str, str], status: int, error: str
) -> None:
    await liquid.submit_import(RECORDS)
    answer = await liquid.post(f"batch/{call}", **fields)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_jobs_are_kept_forever(liquid: Service) -> None:
    job = await liquid.submit_import(RECORDS)
    assert await _after(liquid, job, 10 * 365 * 86400) == ("Completed", "250")


@pytest.mark.parametrize(
    ("after", "written"),
    [
        pytest.param(0, 0, id="§8 Accepted, then Failed"),
        pytest.param(1, 1, id="§12 fail at record 1"),
        pytest.param(100, 100, id="§12 fail at the end of a slice"),
        pytest.param(130, 130, id="§12 fail within a slice"),
        pytest.param(9999, 250, id="§12 fail after the last record"),
    ],
)
async def test_a_job_can_fail_after_a_part_of_its_records(liquid: Service, after: int, written: int) -> None:
    await liquid.control.add_fault(FailJob(after_records=after, reason="disk full"))
    status = await liquid.imported(RECORDS)
    assert (status["status"], status["recordsProcessed"], status["reason"]) == ("Failed", str(written), "disk full")
    assert [one["accountId"] for one in await liquid.data()] == [one["accountId"] for one in RECORDS[:written]]
    assert (await liquid.imported(RECORDS))["status"] == "Completed"


async def test_a_job_can_be_slow(liquid: Service) -> None:
    await liquid.control.add_fault(SlowJob(seconds=1000, slice_s=50))
    job = await liquid.submit_import(RECORDS)
    seen = [await _after(liquid, job, seconds) for seconds in (990, 30, 50, 100)]
    assert seen == [("Accepted", "0"), ("Processing", "0"), ("Processing", "100"), ("Completed", "250")]


async def test_a_job_whose_submit_was_never_answered_runs_later(liquid: Service) -> None:
    await liquid.control.add_fault(DropAfter(path="/ls/api/batch/import"))
    with pytest.raises(Exception, match="disconnected"):
        await liquid.submit_import(RECORDS)
    await liquid.control.advance(60)
    assert len(await liquid.items()) == 250


@pytest.mark.parametrize(("file", "status"), [([{"accountId": "a"}], "Completed"), (b"nonsense", "Rejected")])
async def test_the_end_of_a_job_is_mailed(liquid: Service, file: Any, status: str) -> None:
    job = await liquid.imported(file, notificationEmail="ops@example.com")
    [mail] = await liquid.mails()
    assert mail == {
        "to": "ops@example.com",
        "jobId": job["jobId"],
        "jobName": "run",
        "status": status,
        "reason": job["reason"],
        "links": [],
    }


async def test_without_an_address_nothing_is_mailed_nor_shown(liquid: Service) -> None:
    status = await liquid.imported(RECORDS)
    assert ("notificationEmail" in status, await liquid.mails()) == (False, [])


async def test_the_state_counts_what_is_there_and_a_reset_forgets_it(liquid: Service) -> None:
    await liquid.imported(RECORDS, notificationEmail="ops@example.com")
    state = await liquid.control.state()
    assert (state["jobs"], state["mails"], state["tokens"]) == ({"Completed": 1}, 1, 2)
    assert isinstance(state["items"], dict)
    assert state["items"]["ACME"]["Account"] == 250
    await liquid.control.reset()
    after = await liquid.control.state()
    assert (after["jobs"], after["mails"], after["tokens"], after["export_bytes"]) == ({}, 0, 0, 0)


async def test_a_reason_may_say_nothing_of_counts() -> None:
    """§15"""
    async with service(Settings(counts_in_reason=False, slice_s=10)) as liquid:
        first, second = await liquid.submit_import(RECORDS), await liquid.submit_import(RECORDS)
        await liquid.control.advance(15)
        await liquid.post("batch/cancel", jobId=first["jobId"])
        ends = [await liquid.finished(job) for job in (first, second)]
    assert [(end["status"], end["reason"]) for end in ends] == [("Canceled", "canceled"), ("Completed", "done")]


async def test_each_status_may_be_mailed() -> None:
    """§15: several mails, and each repeated submit mails again."""
    async with service(Settings(mails_each_status=True, slice_s=10)) as liquid:
        address = {"notificationEmail": "ops@example.com"}
        first, second = [await liquid.submit_import(RECORDS, **address) for _ in range(2)]
        await liquid.control.advance(15)
        await liquid.post("batch/cancel", jobId=second["jobId"])
        await liquid.finished(first)
        mails = [(mail["jobId"], mail["status"]) for mail in await liquid.mails()]
    started = ["Initialized", "Accepted", "Processing"]
    assert [status for job, status in mails if job == first["jobId"]] == [*started, "Completed"]
    assert [status for job, status in mails if job == second["jobId"]] == [*started, "Canceling", "Canceled"]


async def test_a_status_may_be_a_word_of_no_document(liquid: Service) -> None:
    """§8: an unknown value means that the job still runs."""
    await liquid.control.add_fault(UnknownStatus(path=f"{BASE}/batch/status", times=2))
    job = await liquid.submit_import(RECORDS)
    await liquid.wait(60)
    seen = [(await liquid.status(job))["status"] for _ in range(3)]
    assert [job["status"], *seen] == ["Accepted", "Suspended", "Suspended", "Completed"]


async def test_a_fault_of_a_job_is_chosen_by_a_part_of_its_body(liquid: Service) -> None:
    await liquid.control.add_fault(FailJob(contains="k007"))
    ends = [(await liquid.imported(RECORDS[first : first + 5]))["status"] for first in (0, 5, 10)]
    assert ends == ["Completed", "Failed", "Completed"]
