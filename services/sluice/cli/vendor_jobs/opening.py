"""A destination whose vendor runs jobs, opened for a command, and the job that an argument names."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from sluice.cli.exits import CommandFailed, Exit
from sluice.destinations import open_destination
from sluice.destinations.vendor_jobs import JobDestination, VendorJob
from sluice.settings import load_settings
from sluice.settings_file import nearest
from sluice.vendor_jobs.journals import OpenJob, Site

MAX_KNOWN = 10
"""Names of jobs that an error lists; a destination may have hundreds."""


class Opened(NamedTuple):
    """A destination in Kafka, and at its vendor."""

    site: Site
    account: JobDestination


@asynccontextmanager
async def open_jobs(config: str, name: str) -> AsyncIterator[Opened]:
    """Open destination ``name``. Raises ``SettingsError``, and ``CommandFailed`` where its vendor runs no jobs."""
    settings = load_settings(Path(config))
    account_settings = settings.destination(name).account
    account = open_destination(account_settings)
    try:
        if not isinstance(account, JobDestination):
            kind = account_settings.__struct_config__.tag
            raise CommandFailed(
                f"{name} has no vendor jobs: a vendor of the kind {kind} answers each request at once", Exit.USAGE
            )
        yield Opened(Site(settings.kafka, name, settings.topic_prefix), account)
    finally:
        await account.aclose()


def find_ours(ours: Iterable[OpenJob], word: str, *, is_any_enough: bool = False) -> OpenJob | None:
    """Return the job that ``word`` names, by its batch id or by one of the vendor's names for it.

    Raises ``CommandFailed`` where several batches have that name, unless any of them is enough.
    """
    jobs = list(ours)
    for job in jobs:
        if job.batch_id == word:
            return job
    found = [job for job in jobs if word in job.known.refs.values()]
    if len(found) > 1 and not is_any_enough:
        batches = ", ".join(job.batch_id for job in found)
        raise CommandFailed(f"{word} holds several batches of ours; name one of them: {batches}", Exit.USAGE)
    return found[0] if found else None


async def find_listed(account: JobDestination, word: str) -> VendorJob | None:
    """Return the job in the vendor's list that has ``word`` as a name. Raises ``BatchError``."""
    async for job in account.jobs():
        if word in job.refs.values():
            return job
    return None


def unknown_job(destination: str, word: str, ours: Sequence[OpenJob]) -> CommandFailed:
    """Return the error for a ``word`` that names no job; it tells the nearest of ``ours``."""
    known = [name for job in ours for name in (job.batch_id, *job.known.refs.values())]
    advice = nearest(word, known) or "; no batch is with the vendor"
    if advice.count("`") > 2 * MAX_KNOWN:  # no one of them is near
        advice = f"; `sluice vendor-jobs ls {destination}` lists all"
    return CommandFailed(f"no vendor job {word!r} of {destination}{advice}", Exit.USAGE)
