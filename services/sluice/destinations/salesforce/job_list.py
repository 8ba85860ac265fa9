"""The org's own list of bulk jobs, which 2.0 has for both APIs. §4.1"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import msgspec

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.salesforce.bulk1_answers import Id
from sluice.destinations.salesforce.calls import Calls

MAX_PAGES = 1000
"""Pages of 1,000 jobs each. [assumed]: more than an org makes in the week for which jobs are kept"""


class ListedJob(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A job in the list. §4.1"""

    id: Id
    state: str = ""
    object: str = ""
    operation: str = ""
    external_id_field_name: str | None = None
    created_by_id: str = ""
    created_date: datetime | None = None

    def batch_key(self, external_id: str | None = None) -> str:
        """Return the key that a batch of ours would have for it; ``external_id`` is one that the list does not have."""
        return "/".join(filter(None, (self.object, self.operation, external_id or self.external_id_field_name)))


JobType = Literal["Classic", "V2Ingest"]


async def listed_jobs(calls: Calls, job_type: JobType) -> AsyncIterator[ListedJob]:
    """Yield the jobs of ``job_type``, in no order. Raises ``Unavailable``, ``Misconfigured``."""
    async for page in job_pages(calls, job_type):
        for job in page:
            yield job


async def job_pages(calls: Calls, job_type: JobType) -> AsyncIterator[list[ListedJob]]:
    """Yield the same by pages, each of which costs a call."""
    place = f"{calls.data}/jobs/ingest?jobType={job_type}"
    for _ in range(MAX_PAGES):
        try:
            response = await calls.get(place)
            page = _decode(response.content)
        except Refused as error:
            raise Unavailable("no-answer", f"cannot list jobs: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable("no-answer", f"the list of jobs cannot be read: {error}") from error
        yield page.records
        # Another address is not followed: it would get the session.
        if not page.nextRecordsUrl or not page.nextRecordsUrl.startswith(f"{calls.data}/"):
            return
        place = page.nextRecordsUrl


class _Page(msgspec.Struct):
    records: list[ListedJob]
    nextRecordsUrl: str | None = None  # noqa: N815  # the wire's name


_decode = msgspec.json.Decoder(_Page).decode
