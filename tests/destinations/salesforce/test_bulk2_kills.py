"""Bulk API 2.0 against its stand-in where answers are lost and processes die: nothing is doubled, nothing lost."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from sandbox.faults.fault import DropAfter, DropBefore, Selection, Status, StatusAfter
from sluice.destinations.contract import Ambiguous, BatchError, Unavailable
from sluice.destinations.vendor_jobs import Refs
from tests.destinations.salesforce.served_bulk2 import ServedBulk2, served_bulk2
from tests.support.factories import record

JOBS = "/services/data/v59.0/jobs/ingest"
INSERTS = [record("Contact", "insert", None, {"LastName": f"Berg {row}"}) for row in range(3)]


@pytest_asyncio.fixture(name="acme")
async def _acme() -> AsyncIterator[ServedBulk2]:
    async with served_bulk2() as org:
        yield org


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("drop", [DropBefore, DropAfter])
async def test_a_step_before_the_start_that_is_lost_wrote_nothing_and_is_made_again(
    acme: ServedBulk2, drop: type[Selection], method: str
) -> None:
    """§8"""
    await acme.control.add_fault(drop(path=JOBS, method=method))
    with pytest.raises(Unavailable):
        await acme.submit(*INSERTS)
    assert await acme.codes(*INSERTS) == ["Created"] * 3
    assert acme.count() == 3
    # Only a job whose very name was lost stays open. It is empty, and ends after a day.
    assert (await acme.states())["Open"] == (1 if (drop, method) == (DropAfter, "POST") else 0)


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        pytest.param(DropBefore(path=JOBS, method="PATCH"), False, id="lost on the way"),
        pytest.param(DropAfter(path=JOBS, method="PATCH"), True, id="§8 its answer is lost"),
        pytest.param(Status(path=JOBS, method="PATCH", status=502), False, id="a proxy refuses it"),
        pytest.param(StatusAfter(path=JOBS, method="PATCH", status=504), True, id="a proxy has no patience"),
        pytest.param(Status(path=JOBS, method="PATCH", status=401), False, id="a proxy asks for a password"),
        pytest.param(StatusAfter(path=JOBS, method="PATCH", status=200, content_type="text/html"), True, id="a page"),
    ],
)
async def test_a_lost_start_is_found_and_never_doubled(acme: ServedBulk2, fault: Selection, arrived: bool) -> None:
    await acme.control.add_fault(fault)
    with pytest.raises(Ambiguous):
        await acme.submit(*INSERTS)
    refs = await acme.find()
    assert (refs is not None) == arrived
    refs = refs or await acme.submit(*INSERTS)
    assert len(await acme.collect(refs, *INSERTS)) == 3
    assert acme.count() == 3


@pytest.mark.parametrize("search", range(4))
@pytest.mark.parametrize("submit", range(6))
@pytest.mark.parametrize("drop", [DropBefore, DropAfter])
async def test_a_kill_at_any_call_of_a_submit_and_of_its_search_doubles_and_loses_nothing(
    acme: ServedBulk2, drop: type[Selection], submit: int, search: int
) -> None:
    """§8: one process dies at login, limits, describe, create, put or start, the next at login, look, abort or look."""
    await acme.control.add_fault(drop(path="/services", skip=submit))
    async with acme.twin() as first:
        with suppress(BatchError):
            await first.submit(*INSERTS)
    await acme.control.clear_faults()
    await acme.control.add_fault(drop(path="/services", skip=search))
    async with acme.twin() as second:
        with suppress(BatchError):
            await second.find(first.named)
    await acme.control.clear_faults()
    async with acme.twin() as third:
        refs = await third.find(first.named) or await third.submit(*INSERTS)
        assert len(await third.collect(refs, *INSERTS)) == 3
    assert acme.count() == 3


async def test_a_process_that_was_frozen_before_its_put_writes_nothing_when_it_wakes(acme: ServedBulk2) -> None:
    async with acme.twin() as frozen, acme.twin() as owner:

        async def freeze(refs: Refs) -> None:
            frozen.named.append(dict(refs))
            assert await owner.find(frozen.named) is None
            await owner.collect(await owner.submit(*INSERTS), *INSERTS)

        batch = frozen.batch(*INSERTS)
        upload = await frozen.destination.prepare(batch)
        with pytest.raises(Unavailable, match="somebody has ended our job"):
            await frozen.destination.submit(batch, upload, freeze, lambda: None)
    assert acme.count() == 3


async def test_a_start_that_must_not_leave_any_more_does_not(acme: ServedBulk2) -> None:
    def check() -> None:
        if any(job.kept_bytes for job in acme.vendor.org.jobs):
            raise Unavailable("frozen", "this process was frozen", 0.0)

    with pytest.raises(Unavailable, match="frozen"):
        await acme.submit(*INSERTS, check=check)
    assert await acme.states() == {"Aborted": 1}
