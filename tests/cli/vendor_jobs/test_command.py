"""``sluice vendor-jobs`` beside real writers: what people see of jobs, and what comes of their orders."""

import asyncio
import getpass
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sandbox.faults.fault import DropBefore, Status
from sluice.cli.exits import Exit
from sluice.client.receipts import DeadLetter, Receipt
from sluice.vendor_jobs.orders import read_orders
from tests.cli.conftest import Run, failure, success
from tests.cli.vendor_jobs.conftest import Ask, HeldDepot
from tests.destinations.depot.vendor import Job
from tests.support.stage import Message, Place, Stage, code_of, record
from tests.support.writer_process import eventually

ITEMS = 30
ONE_BATCH = {"max_items": 1000, "max_age_s": 1.0}


def _inserts(count: int = ITEMS) -> list[Message]:
    return [record(f"parcel-{number}", object="parcel", operation="insert") for number in range(count)]


def _lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in success(result).splitlines()]


async def _waiting(depot: HeldDepot, jobs: int = 1) -> list[Job]:
    async def look() -> list[Job]:
        found = [job for job in depot.jobs.values() if job.state == "waiting"]
        return found if len(found) >= jobs else []

    return await eventually(look)


async def _listed(ask: Ask, **fields: Any) -> list[dict[str, Any]]:
    """Wait until ``ls`` shows jobs of ours of which all have these fields; return them."""

    async def look() -> list[dict[str, Any]]:
        ours = [line for line in _lines(await ask("ls", "crm", "--json")) if line["whose"] == "ours"]
        return ours if ours and all(line[name] == value for line in ours for name, value in fields.items()) else []

    return await eventually(look)


def _counts(receipts: Mapping[Place, Receipt]) -> Counter[str]:
    return Counter(code_of(receipt) for receipt in receipts.values())


def _letters(receipts: Mapping[Place, Receipt]) -> set[tuple[str, str]]:
    """Classes and messages of dead letters."""
    return {(one.error_class, one.message) for one in receipts.values() if isinstance(one, DeadLetter)}


async def _no_order_stands(stage: Stage) -> None:
    async def look() -> bool:
        return not (await read_orders(stage.connection.kafka, stage.topics.control, range(2))).all

    await eventually(look)


async def test_jobs_are_listed_with_and_without_a_writer(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    writer = stage.writer(stage.settings(window=ONE_BATCH))
    await stage.publish(_inserts())
    depot.jobs["foreign"] = Job("foreign", state="waiting", due_at=0.0)
    [job] = [one for one in await _waiting(depot, 2) if one.id != "foreign"]
    [ours] = await _listed(ask, state="submitted")
    assert (ours["vendor_job"], ours["vendor_state"], ours["lanes"]) == ({"job": job.id}, "waiting", [0, 1])
    assert (ours["items"], ours["unsettled"], ours["batch_key"]) == (ITEMS, ITEMS, "insert")
    await writer.kill()
    assert [line["whose"] for line in _lines(await ask("ls", "crm", "--json"))] == ["ours", "foreign"]
    table = success(await ask("ls", "crm")).splitlines()
    assert table[0].split()[:3] == ["whose", "batch", "vendor"]
    assert table[1].split()[:3] == ["ours", ours["batch_id"], f"job={job.id}"]
    assert table[2].split()[:3] == ["foreign", "-", "job=foreign"]


async def test_a_job_is_shown_whole(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    stage.writer(stage.settings(window=ONE_BATCH))
    places = await stage.publish(_inserts())
    [job] = await _waiting(depot)
    [ours] = await _listed(ask, state="submitted")
    by_vendor_id = json.loads(success(await ask("show", "crm", job.id, "--json")))
    assert (by_vendor_id["batch_id"], by_vendor_id["orders"]) == (ours["batch_id"], [])
    shown = {
        (run["partition"], offset)
        for run in by_vendor_id["open_records"]
        for offset in range(run["first"], run["last"] + 1)
    }
    assert shown == set(places)
    text = success(await ask("show", "crm", ours["batch_id"]))
    assert f"{ITEMS}, of which {ITEMS} have no receipt" in text
    wrong = failure(await ask("show", "crm", ours["batch_id"][:-1]), Exit.USAGE)
    assert f"did you mean `{ours['batch_id']}`?" in wrong


async def test_what_an_abort_stops_is_cancelled_by_name(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    stage.writer(stage.settings(window=ONE_BATCH))
    places = await stage.publish(_inserts())
    [job] = await _waiting(depot)
    depot.abort_after = 7
    [ours] = await _listed(ask, state="submitted")
    plan = success(await ask("abort", "crm", job.id, "--reason", "wrong file"))
    assert plan.splitlines()[-1] == "nothing was changed: --yes gives the order"
    assert job.state == "waiting"
    said = success(await ask("abort", "crm", job.id, "--reason", "wrong file", "--yes"))
    assert said.startswith(f"abort {ours['batch_id']}: done: ")
    receipts = await stage.settled(places)
    assert _counts(receipts) == {"STORED": 7, "aborted": ITEMS - 7}
    assert _letters(receipts) == {("cancelled", f"wrong file (aborted by {getpass.getuser()})")}
    await _no_order_stands(stage)


async def test_an_abort_given_while_no_writer_runs_is_carried_out_by_the_next(
    stage: Stage, depot: HeldDepot, ask: Ask
) -> None:
    config = stage.settings(window=ONE_BATCH)
    writer = stage.writer(config)
    places = await stage.publish(_inserts())
    await _waiting(depot)
    [ours] = await _listed(ask, state="submitted")
    await writer.stop()
    [line] = _lines(await ask("abort", "crm", ours["batch_id"], "--reason", "wrong file", "--yes", "--json"))
    assert (line["results"], line["waiting_lanes"]) == ([], [0, 1])
    [shown] = _lines(await ask("show", "crm", ours["batch_id"], "--json"))
    assert {order["reason"] for order in shown["orders"]} == {"wrong file"}
    stage.writer(config)
    assert _counts(await stage.settled(places)) == {"aborted": ITEMS}
    await _no_order_stands(stage)


async def test_whoever_collects_knows_who_has_aborted(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    config = stage.settings(window=ONE_BATCH)
    writer = stage.writer(config)
    places = await stage.publish(_inserts())
    [job] = await _waiting(depot)
    await _listed(ask, state="submitted")
    depot.faults.add(Status(status=503, times=None, path=f"/jobs/{job.id}/results", method="GET"))
    success(await ask("abort", "crm", job.id, "--reason", "wrong file", "--yes"))
    await writer.kill()
    depot.faults.clear()
    stage.writer(config)
    assert _counts(await stage.settled(places)) == {"aborted": ITEMS}


async def test_two_writers_each_settle_their_lanes_of_an_aborted_job(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    config = stage.settings(window=ONE_BATCH)
    first = stage.writer(config)
    places = await stage.publish(_inserts())
    [job] = await _waiting(depot)
    second = stage.writer(config)
    await second.owns(1)
    await first.owns(1)
    [ours] = await _listed(ask, lanes=[0, 1])
    [line] = _lines(await ask("abort", "crm", job.id, "--reason", "wrong file", "--yes", "--json"))
    assert [(answer["lane"], answer["result"]) for answer in line["results"]] == [(0, "done"), (1, "done")]
    assert line["batch_id"] == ours["batch_id"]
    assert _counts(await stage.settled(places)) == {"aborted": ITEMS}
    await _no_order_stands(stage)


async def test_what_is_forgotten_is_ambiguous_by_name(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    stage.writer(stage.settings(window=ONE_BATCH))
    places = await stage.publish([record(f"p-{n}", object="parcel", value=n) for n in range(ITEMS)])
    [job] = await _waiting(depot)
    [ours] = await _listed(ask, state="submitted")
    batch_id = ours["batch_id"]
    told = await ask("forget", "crm", batch_id, "--reason", "gone with the account", "--yes")
    assert told.exit_code == Exit.SOME_FAILED
    assert "abort it first: the vendor says waiting" in told.stdout
    depot.faults.add(Status(status=503, times=None, path=f"/jobs/{job.id}/results", method="GET"))
    depot.is_held = False
    await _listed(ask, vendor_state="done")
    said = success(await ask("forget", "crm", batch_id, "--reason", "gone with the account", "--yes"))
    assert "done: its records are dead letters of class ambiguous" in said
    receipts = await stage.settled(places)
    assert _counts(receipts) == {"forgotten": ITEMS}
    assert _letters(receipts) == {("ambiguous", f"{getpass.getuser()} has given it up: gone with the account")}
    await _no_order_stands(stage)


async def test_a_lost_submit_is_attached_by_id(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    depot.faults.add(DropBefore(times=1, path="/jobs/job-1/start"))
    depot.faults.add(Status(status=503, times=None, path="/jobs/job-1/abort", method="POST"))  # nobody finds it
    stage.writer(stage.settings(window=ONE_BATCH))
    places = await stage.publish(_inserts())
    [ours] = await _listed(ask, state="lost", vendor_job={"job": "job-1"})
    job = depot.jobs["job-2"] = Job("job-2", state="waiting", body=depot.jobs["job-1"].body)
    batch_id = ours["batch_id"]
    wrong = await ask("attach", "crm", batch_id, "--ref", "job=nowhere", "--yes")
    assert "failed: the vendor does not know job=nowhere" in wrong.stdout
    assert wrong.exit_code == Exit.SOME_FAILED
    said = success(await ask("attach", "crm", batch_id, "--ref", f"job={job.id}", "--yes"))
    assert f"done: attached to job={job.id}: the vendor says waiting" in said
    again = await ask("attach", "crm", batch_id, "--ref", "job=job-1", "--yes")
    assert f"failed: it is attached already: job={job.id}" in again.stdout
    depot.is_held = False
    assert _counts(await stage.settled(places)) == {"STORED": ITEMS}
    assert len(depot.stored) == ITEMS


async def test_a_lost_submit_that_is_attached_before_the_writer_starts_is_not_sent_anew(
    stage: Stage, depot: HeldDepot, ask: Ask
) -> None:
    depot.faults.add(DropBefore(times=1, path="/jobs/job-1/start"))
    depot.faults.add(Status(status=503, times=None, path="/jobs/job-1/abort", method="POST"))  # nobody finds it
    config = stage.settings(window=ONE_BATCH)
    writer = stage.writer(config)
    places = await stage.publish(_inserts())
    [ours] = await _listed(ask, state="lost", vendor_job={"job": "job-1"})
    await writer.kill()
    depot.jobs["job-2"] = Job("job-2", state="waiting", body=depot.jobs["job-1"].body)
    depot.is_held = False
    [line] = _lines(
        await ask("attach", "crm", ours["batch_id"], "--ref", "job=job-2", "--yes", "--wait", "0", "--json")
    )
    assert line["waiting_lanes"] == [0, 1]
    depot.faults.clear()  # from now on the finder would say that job-1 has not arrived
    stage.writer(config)
    assert _counts(await stage.settled(places)) == {"STORED": ITEMS}
    assert (len(depot.stored), depot.jobs["job-1"].state) == (ITEMS, "open")


async def test_collecting_asks_at_once(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    slow = {"poll_base_s": 600, "poll_cap_s": 600}
    stage.writer(stage.settings(window=ONE_BATCH, delivery=slow))
    places = await stage.publish(_inserts())
    [job] = await _waiting(depot)
    await _listed(ask, state="submitted")
    early = await ask("collect", "crm", job.id)
    assert early.exit_code == Exit.SOME_FAILED
    assert "nothing to collect yet: the vendor says waiting" in early.stdout
    depot.is_held = False
    assert "done: its results are collected" in success(await ask("collect", "crm", job.id))
    assert _counts(await stage.settled(places, within_s=5)) == {"STORED": ITEMS}
    assert "no vendor job" in failure(await ask("collect", "crm", job.id), Exit.USAGE)


async def test_a_job_that_is_not_ours_is_aborted_at_the_vendor(depot: HeldDepot, ask: Ask) -> None:
    job = depot.jobs["foreign"] = Job("foreign", state="waiting")
    assert "would abort job=foreign, which is not ours" in success(
        await ask("abort", "crm", "foreign", "--reason", "in the way")
    )
    assert job.state == "waiting"
    assert "aborted job=foreign" in success(await ask("abort", "crm", "foreign", "--reason", "in the way", "--yes"))
    assert depot.jobs["foreign"].state == "aborted"


async def test_ours_are_listed_while_the_vendor_is_away(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    writer = stage.writer(stage.settings(window=ONE_BATCH))
    await stage.publish(_inserts())
    await _waiting(depot)
    await _listed(ask, state="submitted")
    await writer.kill()
    depot.faults.add(Status(status=503, times=None, path="/jobs", method="GET"))
    result = await ask("ls", "crm", "--json")
    assert result.exit_code == Exit.DESTINATION
    assert [json.loads(line)["vendor_state"] for line in result.stdout.splitlines()] == [None]


async def test_a_lost_submit_that_was_aborted_is_sent_never(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    depot.faults.add(DropBefore(times=1, path="/jobs/job-1/start"))
    depot.faults.add(Status(status=503, times=None, path="/jobs/job-1/abort", method="POST"))  # nobody finds it
    stage.writer(stage.settings(window=ONE_BATCH))
    places = await stage.publish(_inserts())
    [ours] = await _listed(ask, state="lost", vendor_job={"job": "job-1"})
    said = success(await ask("abort", "crm", ours["batch_id"], "--reason", "wrong file", "--yes", "--wait", "1"))
    assert "no answer within 1 s, and it stands" in said
    depot.faults.clear()
    assert _counts(await stage.settled(places)) == {"aborted": ITEMS}
    assert (depot.stored, len(depot.jobs)) == ([], 1)
    await _no_order_stands(stage)


async def test_what_was_left_open_is_closed_when_a_person_says_so(stage: Stage, depot: HeldDepot, ask: Ask) -> None:
    stage.writer(stage.settings(window=ONE_BATCH))
    places = await stage.publish(_inserts())
    [job] = await _waiting(depot)
    await _listed(ask, state="submitted")
    assert "wait for that job; collect it, or abort it" in failure(await ask("close", "crm", job.id), Exit.USAGE)
    depot.is_held = False
    await stage.settled(places)
    assert success(await ask("close", "crm", "--yes")) == "nothing of crm is left open at the vendor\n"
    job.state = "open"
    depot.jobs["foreign"] = Job("foreign")
    plan = success(await ask("close", "crm"))
    assert plan.splitlines()[-1] == "1 job would be closed; nothing was changed: --yes closes them"
    assert "foreign" not in plan
    [line] = [json.loads(one) for one in (await ask("close", "crm", "--yes", "--json")).stdout.splitlines()]
    # Depot closes nothing: people are told.
    assert (line["closed"], line["vendor_job"], line["whose"]) == (False, {"job": job.id}, "left-open")
    assert "the vendor still says open" in line["problem"]


async def test_a_job_of_nobody_s_name_is_closed_by_id(depot: HeldDepot, ask: Ask) -> None:
    depot.jobs["foreign"] = Job("foreign")
    [line] = _lines(await ask("close", "crm", "foreign", "--json"))
    assert (line["closed"], line["whose"]) == (False, "foreign")
    assert "no vendor job 'nowhere' of crm; no batch is with the vendor" in failure(
        await ask("close", "crm", "nowhere"), Exit.USAGE
    )


async def test_a_vendor_that_answers_at_once_has_no_jobs(settings: Path, run: Run) -> None:
    for command in (("ls", "crm"), ("close", "crm"), ("collect", "crm", "x")):
        result = await asyncio.to_thread(run, "vendor-jobs", *command, env={"CRM_SECRET": "s"})
        assert "crm has no vendor jobs: a vendor of the kind blueconic answers" in failure(result, Exit.USAGE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("abort", "crm", "x", "--yes"), "--reason", id="no reason to abort"),
        pytest.param(("forget", "crm", "x", "--reason", " "), "expected a reason", id="an empty one to forget"),
        pytest.param(("attach", "crm", "x", "--ref", "750"), "expected NAME=ID", id="an id without its name"),
        pytest.param(("attach", "crm", "x"), "--ref", id="no id"),
    ],
)
def test_an_order_that_is_not_complete_is_refused(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in failure(run("vendor-jobs", *arguments), Exit.USAGE)
