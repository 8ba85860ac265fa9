"""Open jobs: shared by the batches of one key, replaced in time, kept while they are needed."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest

from sluice.destinations.contract import Ambiguous, PreSendCheck, Unavailable
from sluice.destinations.salesforce.open_jobs import OpenJobs
from tests.support.factories import send_now


class Maker:
    """A vendor that makes jobs j1, j2, …"""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.slow = asyncio.Event()
        self.slow.set()
        self.error: Exception | None = None

    async def create(self, batch_key: str, check: PreSendCheck) -> str:
        check()
        self.made.append(batch_key)
        await self.slow.wait()
        if self.error is not None:
            raise self.error
        return f"j{len(self.made)}"

    def open(self, *, max_age_s: float = 600, max_batches: int = 1000) -> OpenJobs:
        return OpenJobs(self.create, max_age_s=max_age_s, max_batches=max_batches)


async def take(jobs: OpenJobs, key: str = "Contact/update", body: str = "", error: Exception | None = None) -> str:
    async with jobs.take(key, body or uuid4().hex, send_now) as job:
        if error is not None:
            raise error
        return job


async def test_batches_of_one_key_share_a_job_that_is_made_once() -> None:
    maker = Maker()
    jobs = maker.open()
    assert set(await asyncio.gather(*(take(jobs) for _ in range(20)))) == {"j1"}
    assert await take(jobs, "Contact/insert") == "j2"
    assert maker.made == ["Contact/update", "Contact/insert"]


async def test_a_maker_that_is_cancelled_leaves_it_to_the_next() -> None:
    maker = Maker()
    jobs = maker.open()
    maker.slow.clear()
    first, second = asyncio.create_task(take(jobs)), asyncio.create_task(take(jobs))
    await asyncio.sleep(0)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    maker.slow.set()
    assert await second == "j2"


async def test_a_job_that_was_not_made_is_made_by_the_next() -> None:
    maker = Maker()
    jobs = maker.open()
    maker.error = Unavailable("503", "busy")
    with pytest.raises(Unavailable):
        await take(jobs)
    maker.error = None
    assert await take(jobs) == "j2"


async def test_a_full_job_is_replaced() -> None:
    jobs = Maker().open(max_batches=2)
    assert [await take(jobs) for _ in range(5)] == ["j1", "j1", "j2", "j2", "j3"]


async def test_an_old_job_is_replaced() -> None:
    jobs = Maker().open(max_age_s=0)
    assert [await take(jobs) for _ in range(2)] == ["j1", "j2"]


async def test_a_retired_job_is_replaced() -> None:
    jobs = Maker().open()
    await take(jobs)
    jobs.retire("j1")
    assert await take(jobs) == "j2"


async def test_a_job_is_needed_until_its_last_batch_is_settled() -> None:
    jobs = Maker().open()
    for batch in ("b1", "b2"):
        async with jobs.take("Contact/update", batch, send_now) as job:
            jobs.added(job, batch)
    assert not jobs.settle("j1", "b1")
    assert not jobs.settle("j1", "b1")
    async with jobs.take("Contact/update", "b3", send_now):
        assert not jobs.settle("j1", "b2")
    assert jobs.settle("j1", "b2")
    assert await take(jobs) == "j2"


async def test_a_job_that_nobody_here_has_open_may_be_closed() -> None:
    assert Maker().open().settle("j9", "b1")


async def test_a_job_never_gets_one_body_twice() -> None:
    jobs = Maker().open()
    assert [await take(jobs, body=body) for body in ("a", "b", "a", "b", "a")] == ["j1", "j1", "j2", "j2", "j3"]


async def test_a_body_that_has_not_arrived_does_not_count() -> None:
    jobs = Maker().open()
    with suppress(Unavailable):
        await take(jobs, body="a", error=Unavailable("503", "busy"))
    assert await take(jobs, body="a") == "j1"
    with suppress(Ambiguous):
        await take(jobs, body="b", error=Ambiguous("reset"))
    assert await take(jobs, body="b") == "j2"
