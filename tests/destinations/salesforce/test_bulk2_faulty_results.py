"""Results of Bulk API 2.0 at its stand-in, as bad as the service is known to give them. §13"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import pytest
import pytest_asyncio

from sandbox.faults.fault import Bomb, DropAfter, Garbage, MissingResults, Selection, Truncate
from sandbox.salesforce.faults import (
    CoerceEcho,
    CompletedWithMessage,
    EmptyResults,
    LateResults,
    LockRows,
    MissingFileRows,
    ReformatNumbers,
    StateGoesBack,
)
from sluice.destinations.contract import Unavailable
from sluice.destinations.vendor_jobs import Over, ResultsIncomplete, Running
from sluice.events import RecordEvent
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.salesforce.served_bulk2 import ServedBulk2, contact, served_bulk2
from tests.support.factories import record

JOBS = "/services/data/v59.0/jobs/ingest"
EVENTS = [contact(row) for row in range(5)]


@pytest_asyncio.fixture(name="acme")
async def _acme() -> AsyncIterator[ServedBulk2]:
    async with served_bulk2() as org:
        yield org


async def read(
    acme: ServedBulk2, fault: Selection, events: Sequence[RecordEvent] = EVENTS
) -> tuple[dict[object, Outcome | None], Exception | None]:
    """Submit ``events`` and read their results, which ``fault`` spoils; what came, and how it ended."""
    await acme.control.add_fault(fault)
    refs = await acme.submit(*events)
    over = await acme.finish(refs)
    found: dict[object, Outcome | None] = {}
    try:
        async for name, outcome in acme.destination.collect(refs, over, len(events)):
            found[name] = outcome
    except (ResultsIncomplete, Unavailable) as error:
        return found, error
    return found, None


@pytest.mark.parametrize("fault", [CoerceEcho(times=None), ReformatNumbers(times=None)])
async def test_values_that_come_back_in_another_form_are_not_looked_at(acme: ServedBulk2, fault: Selection) -> None:
    """§4.1, §13 row 1"""
    data: dict[str, Any] = {"Score__c": 10, "LastSeen__c": "2024-11-21T09:28:59.123456Z", "Phone": " 1 "}
    events = [record("Contact", "upsert", {"Ext__c": f"91226003{row}"}, {"LastName": "B", **data}) for row in range(5)]
    found, error = await read(acme, fault, events)
    assert error is None
    assert set(found) == {item.encoded.identity for item in acme.batch(*events).items}


@pytest.mark.parametrize("status", [200, 204])
async def test_a_file_that_comes_without_a_body_is_asked_for_again(
    acme: ServedBulk2, status: Literal[200, 204]
) -> None:
    """§13 row 4"""
    refs = await acme.submit(*EVENTS)
    over = await acme.finish(refs)
    await acme.control.add_fault(EmptyResults(status=status, file="successfulResults"))
    with pytest.raises(ResultsIncomplete, match="expected 5 successes"):
        assert [one async for one in acme.destination.collect(refs, over, 5)] == []
    assert [outcome and outcome.code for outcome in await acme.collect(refs, *EVENTS)] == ["Created"] * 5


@pytest.mark.parametrize("written", [True, False])
async def test_rows_in_no_file_are_left_out(acme: ServedBulk2, written: bool) -> None:
    """§13 row 3: the core finds them missing, and calls them ambiguous."""
    found, error = await read(acme, MissingFileRows(rows=2, written=written, path=JOBS, method="PATCH"))
    assert len(found) == 3
    assert (error is not None) == written


async def test_a_short_file_is_incomplete_and_whole_later(acme: ServedBulk2) -> None:
    """§13 row 5"""
    found, error = await read(acme, MissingResults(count=2, path=JOBS))
    assert (len(found), type(error)) == (3, ResultsIncomplete)


async def test_late_results_are_asked_for_again(acme: ServedBulk2) -> None:
    """§13 row 5"""
    found, error = await read(acme, LateResults(path=JOBS))
    assert (found, type(error)) == ({}, ResultsIncomplete)


async def test_a_state_that_goes_back_is_running(acme: ServedBulk2) -> None:
    """§13 row 5"""
    refs = await acme.submit(*EVENTS)
    await acme.control.add_fault(StateGoesBack(path=JOBS))
    assert isinstance(await acme.poll(refs), Running)
    assert isinstance(await acme.poll(refs), Over)


async def test_a_message_of_a_complete_job_changes_no_row(acme: ServedBulk2) -> None:
    """§13 row 6"""
    message = CompletedWithMessage(message="Too many lock failure", path=JOBS, method="PATCH")
    found, error = await read(acme, message)
    assert (len(found), error) == (5, None)


async def test_a_locked_row_is_tried_again(acme: ServedBulk2) -> None:
    """§5"""
    found, _ = await read(acme, LockRows(rows=1, path=JOBS, method="PATCH"))
    fates = sorted((outcome.fate, outcome.code) for outcome in found.values() if outcome)
    assert fates[-1] == (Fate.RETRYABLE, "UNABLE_TO_LOCK_ROW")
    assert len(fates) == 5


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DropAfter(path=JOBS), id="lost"),
        pytest.param(Truncate(path=JOBS), id="cut off"),
        pytest.param(Truncate(path=JOBS, framing="chunked"), id="cut off between pieces"),
        pytest.param(Truncate(path=JOBS, framing="complete"), id="half of it, well formed"),
        pytest.param(Garbage(path=JOBS), id="garbage"),
        pytest.param(Bomb(path=JOBS), id="a bomb"),
    ],
)
async def test_answers_that_break_off_deliver_nothing_that_is_not_there(acme: ServedBulk2, fault: Selection) -> None:
    refs = await acme.submit(*EVENTS)
    over = await acme.finish(refs)
    await acme.control.add_fault(fault)
    with pytest.raises((ResultsIncomplete, Unavailable)):
        _ = [one async for one in acme.destination.collect(refs, over, 5)]
    assert len(await acme.collect(refs, *EVENTS)) == 5
