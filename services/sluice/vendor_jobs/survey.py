"""The vendor jobs of a destination as one picture: what journals hold open, and what the vendor's own list has.

1. Ours: a batch in a journal, with records that have no receipt yet.
2. Left open: the vendor's list has it as not over, and it was made by us, but no journal holds records of it any more.
3. Foreign: everything else in the vendor's list.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from sluice.destinations.vendor_jobs import JobDestination, JobState, VendorJob
from sluice.vendor_jobs.journals import Named, OpenJob, Site, count_lanes, read_named, read_open_jobs

Names = Mapping[str, str]
NAMED_BEFORE = timedelta(days=1)
"""Journals are searched from so long before the vendor made a job: its clock and Kafka's differ."""


class OtherJob(NamedTuple):
    """A vendor job of which no journal holds an open record."""

    job: VendorJob
    whose: Literal["left-open", "settled", "foreign"]
    """``settled``: a journal has named it, and it is over."""
    is_named: bool
    """True when a journal has named it; else it is taken for ours only because our user has made it."""


class Survey(NamedTuple):
    """Our jobs and the others, and the vendor's word for ours by batch id."""

    ours: Sequence[OpenJob]
    states: Mapping[str, JobState]
    others: Sequence[OtherJob]


async def survey_jobs(site: Site, destination: JobDestination, *, with_over: bool = False) -> Survey:
    """Look at all jobs; at others' that are over only ``with_over``.

    Raises ``BatchError`` of the vendor, and what ``read_open_jobs`` does.
    """
    # The vendor first: a job that it lists is in the journal a moment later, if its process lives.
    listed = [job async for job in destination.jobs()]
    ours = await read_open_jobs(site)
    own = [job for job in listed if any(are_same(job.refs, one.known.refs) for one in ours)]
    others = [job for job in listed if job not in own and (with_over or not job.over)]
    named = await _named(site, others)
    # A vendor that does not say who made a job says "": that is nobody.
    our_users = {job.created_by for job in (*own, *(job for job in others if _is_named(job, named)))} - {""}
    return Survey(ours, await ask_states(destination, ours), [_other(job, named, our_users) for job in others])


async def ask_states(destination: JobDestination, ours: Iterable[OpenJob]) -> Mapping[str, JobState]:
    """Return the vendor's word for each of ``ours`` that it knows, by batch id. Raises ``BatchError``."""
    by_refs = {frozenset(job.known.refs.items()): job.batch_id for job in ours if job.known.is_submitted}
    states: dict[str, JobState] = {}
    if by_refs:
        async for refs, state in destination.poll([dict(refs) for refs in by_refs]):
            if (batch_id := by_refs.get(frozenset(refs.items()))) is not None:
                states[batch_id] = state
    return states


def are_same(listed: Names, ours: Names) -> bool:
    """Return whether the vendor's list and a journal name the same job: the list may leave our batch in it out."""
    return bool(listed) and bool(ours) and (listed.items() <= ours.items() or ours.items() <= listed.items())


def sharing_jobs(ours: Iterable[OpenJob], names: Names) -> list[OpenJob]:
    """Return those of ``ours`` that the vendor runs in the same job as ``names``: it can end them only together."""
    shared = names.get("job")
    return [one for one in ours if are_same(names, one.known.refs) or (shared and one.known.refs.get("job") == shared)]


async def _named(site: Site, jobs: Sequence[VendorJob]) -> Collection[Named]:
    """Return what journals have named of ``jobs``, since the oldest of these was made."""
    if not jobs:
        return []
    made = [job.created_at for job in jobs]
    since = None if None in made else min(at for at in made if at is not None) - NAMED_BEFORE
    wanted = {name for job in jobs for name in job.refs.items()}
    return await read_named(site, range(await count_lanes(site)), since, wanted)


def _is_named(job: VendorJob, named: Iterable[Named]) -> bool:
    return any(one.is_listed_as(job.refs) for one in named)


def _other(job: VendorJob, named: Iterable[Named], our_users: Collection[str]) -> OtherJob:
    if _is_named(job, named):
        return OtherJob(job, "settled" if job.over else "left-open", is_named=True)
    is_left = not job.over and job.created_by in our_users
    return OtherJob(job, "left-open" if is_left else "foreign", is_named=False)
