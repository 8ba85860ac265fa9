"""Jobs that wait until they are released, however late, and jobs handled by hand. liquid_decisions.md §9, §15."""

from typing import Any

import httpx
import pytest

from sandbox.faults.fault import DropAfter
from sandbox.liquid_decisions.faults import FailJob, HoldJobs
from tests.sandbox.liquid_decisions.service import BASE, Service, item

RECORDS = [{"accountId": f"k{number:03}", "by": "job"} for number in range(250)]


async def _seen(liquid: Service, job: dict[str, Any]) -> tuple[str, str]:
    status = await liquid.status(job)
    return status["status"], status["recordsProcessed"]


async def test_a_job_is_held_however_long_until_it_is_released(liquid: Service) -> None:
    await liquid.control.add_fault(HoldJobs())
    held, other = await liquid.submit_import(RECORDS), await liquid.submit_import([{"accountId": "x"}])
    await liquid.wait(3600)
    await liquid.control.clear_faults()
    assert [await _seen(liquid, job) for job in (held, other)] == [("Accepted", "0"), ("Completed", "1")]
    assert [(one.job_id, one.is_held) for one in await liquid.control.jobs()] == [
        (held["jobId"], True),
        (other["jobId"], False),
    ]
    assert await liquid.control.release_jobs() == 1
    await liquid.wait(60)
    assert await _seen(liquid, held) == ("Completed", "250")
    assert await liquid.control.release_jobs() == 0


async def test_a_submit_without_an_answer_runs_at_a_later_time_over_newer_values(liquid: Service) -> None:
    """§15: a job that waited 15 minutes overwrote a newer value."""
    await liquid.control.add_fault(HoldJobs())
    await liquid.control.add_fault(DropAfter(path=f"{BASE}/batch/import"))
    with pytest.raises(httpx.RemoteProtocolError):
        await liquid.submit_import(RECORDS[:1])
    await liquid.wait(900)
    await liquid.upsert(item("k000", by="newer"))
    [job] = await liquid.control.jobs()
    assert await liquid.control.release_jobs(job.job_id) == 1
    await liquid.wait(60)
    assert [one["by"] for one in await liquid.data()] == ["job"]
    [audited] = await liquid.control.items("Account", "k000")
    assert [one.endpoint.rpartition("/")[2] for one in audited.writes] == ["upsert", "import"]


async def test_one_job_is_released_alone(liquid: Service) -> None:
    await liquid.control.add_fault(HoldJobs(times=2))
    first, second = await liquid.submit_import(RECORDS), await liquid.submit_import(RECORDS)
    assert [await liquid.control.release_jobs(second["jobId"]) for _ in range(2)] == [1, 0]
    await liquid.wait(60)
    assert [(await _seen(liquid, job))[0] for job in (first, second)] == ["Accepted", "Completed"]


async def test_a_job_is_held_between_two_slices(liquid: Service) -> None:
    await liquid.control.add_fault(HoldJobs(after_records=150))
    job = await liquid.submit_import(RECORDS)
    await liquid.wait(3600)
    assert await _seen(liquid, job) == ("Processing", "200")
    assert len(await liquid.items()) == 200
    await liquid.control.release_jobs()
    await liquid.wait(60)
    assert await _seen(liquid, job) == ("Completed", "250")


async def test_a_job_that_ends_before_is_not_held(liquid: Service) -> None:
    await liquid.control.add_fault(HoldJobs(after_records=201))
    assert (await liquid.imported(RECORDS))["status"] == "Completed"


@pytest.mark.parametrize(("after", "end"), [pytest.param(0, "0", id="before"), pytest.param(100, "100", id="within")])
@pytest.mark.parametrize("by_hand", [pytest.param(False, id="by the call"), pytest.param(True, id="by hand")])
async def test_a_held_job_sees_its_cancel_when_it_is_released(
    liquid: Service, after: int, end: str, by_hand: bool
) -> None:
    """§9: between slices; §8: when the job next comes up."""
    await liquid.control.add_fault(HoldJobs(after_records=after))
    job = await liquid.submit_import(RECORDS)
    await liquid.wait(60)
    if by_hand:
        assert (await liquid.control.cancel_job(job["jobId"])).status == "Canceling"
    else:
        assert (await liquid.post("batch/cancel", jobId=job["jobId"])).json()["status"] == "Canceling"
    await liquid.wait(3600)
    assert await _seen(liquid, job) == ("Canceling", end)
    await liquid.control.release_jobs()
    assert await _seen(liquid, job) == ("Canceled", end)
    assert len(await liquid.items()) == int(end)


async def test_a_held_job_can_still_fail(liquid: Service) -> None:
    await liquid.control.add_fault(HoldJobs())
    await liquid.control.add_fault(FailJob(after_records=130))
    job = await liquid.submit_import(RECORDS)
    await liquid.wait(60)
    await liquid.control.release_jobs()
    await liquid.wait(60)
    assert await _seen(liquid, job) == ("Failed", "130")


async def test_an_export_and_a_bad_job_are_held_or_rejected(liquid: Service) -> None:
    await liquid.control.add_fault(HoldJobs(times=2))
    export, bad = await liquid.submit_export(), await liquid.submit_import(b"nonsense")
    assert [(await _seen(liquid, job))[0] for job in (export, bad)] == ["Accepted", "Rejected"]
    assert await liquid.control.release_jobs() == 1


async def test_jobs_are_listed_with_all_that_a_test_asks_of_them(liquid: Service) -> None:
    job = await liquid.submit_import(RECORDS, jobName="run7")
    await liquid.wait(60)
    [listed] = await liquid.control.jobs()
    assert (listed.job_id, listed.community, listed.job_name, listed.item_type) == (
        job["jobId"],
        "ACME",
        "run7",
        "Account",
    )
    assert (listed.status, listed.records, listed.records_processed) == ("Completed", 250, 250)


@pytest.mark.parametrize("act", ["release", "cancel"])
async def test_an_unknown_job_is_a_404(liquid: Service, act: str) -> None:
    assert (await liquid.http.post(f"/_sandbox/jobs/nonsense/{act}")).status_code == 404


async def test_a_reset_forgets_what_is_held(liquid: Service) -> None:
    await liquid.control.add_fault(HoldJobs())
    await liquid.submit_import(RECORDS)
    await liquid.control.reset()
    assert (await liquid.control.release_jobs(), await liquid.control.jobs()) == (0, [])
