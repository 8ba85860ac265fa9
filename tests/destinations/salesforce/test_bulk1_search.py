"""The search for a lost batch: by what was sent, and never twice the same."""

from collections.abc import Collection
from datetime import UTC, datetime

import httpx
import pytest

from sluice.destinations.contract import Unavailable
from sluice.destinations.salesforce.bulk1_calls import Bulk1Calls
from sluice.destinations.salesforce.bulk1_search import find_batch
from sluice.destinations.salesforce.uploads import digest
from sluice.destinations.vendor_jobs import LostSubmit
from tests.destinations.salesforce.bulk1_texts import JOB, batch_xml, batches_xml
from tests.destinations.salesforce.offline import calls, error, xml

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SENT = {"751000000000001": b"Id\n1", "751000000000002": b"Id\n2", "751000000000003": b"Id\n2"}
MADE = {
    "751000000000001": "2026-01-02T11:54:59.000Z",
    "751000000000002": "2026-01-02T11:59:00.000Z",
    "751000000000003": "2026-01-02T12:01:00.000Z",
}


def lost(body: bytes, vendor_at: datetime | None = None) -> LostSubmit:
    return LostSubmit(
        batch_key="Contact/delete",
        fingerprint=digest(body),
        refs={"job": JOB},
        requested_at=NOON,
        lost_at_s=0.0,
        vendor_at=vendor_at,
    )


class Org:
    """An org with a job of three batches, which keeps count of what is read."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.refusal: httpx.Response | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batch"):
            return xml(batches_xml(*(batch_xml(batch=batch, made=MADE[batch]) for batch in SENT)))
        batch = request.url.path.split("/")[-2]
        self.read.append(batch)
        if self.refusal is not None:
            return self.refusal
        return httpx.Response(200, content=SENT[batch], headers={"content-type": "text/csv"})

    async def find(self, body: bytes, taken: Collection[str] = (), vendor_at: datetime | None = None) -> str | None:
        return await find_batch(Bulk1Calls(calls(self.answer), "CSV"), JOB, lost(body, vendor_at), taken)


async def test_the_newest_batch_with_the_same_body_is_found() -> None:
    org = Org()
    assert await org.find(b"Id\n2") == "751000000000003"
    assert len(org.read) == 1
    assert await org.find(b"Id\n1") == "751000000000001"


async def test_a_batch_of_others_is_not_found_nor_read() -> None:
    org = Org()
    assert await org.find(b"Id\n2", {"751000000000003"}) == "751000000000002"
    assert await org.find(b"Id\n2", {"751000000000002", "751000000000003"}) is None
    assert "751000000000003" not in org.read


async def test_a_batch_that_was_made_long_before_is_not_read() -> None:
    org = Org()
    assert await org.find(b"Id\n1", vendor_at=NOON) is None
    assert org.read == ["751000000000003", "751000000000002"]


async def test_another_body_is_not_found() -> None:
    assert await Org().find(b"Id\n3") is None


async def test_a_batch_that_cannot_be_read_does_not_count_as_absent() -> None:
    org = Org()
    org.refusal = error("InvalidBatch")
    with pytest.raises(Unavailable, match="cannot read what was sent"):
        await org.find(b"Id\n3")
