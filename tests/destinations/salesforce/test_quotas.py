"""Budgets, as the org tells them."""

import httpx
import pytest

from sluice.destinations.salesforce.quotas import READ_EVERY_S, Quotas
from sluice.destinations.vendor_jobs import Quota


def test_the_two_that_matter_are_taken() -> None:
    quotas = Quotas()
    quotas.read(
        httpx.Response(
            200,
            json={
                "DailyApiRequests": {
                    "Max": 15000,
                    "Remaining": 14998,
                    "Ant Migration Tool": {"Max": 0, "Remaining": 0},
                },
                "DailyBulkApiBatches": {"Max": 15000, "Remaining": 7},
                "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
            },
        )
    )
    assert quotas.known == {"DailyApiRequests": Quota(14998, 15000), "DailyBulkApiBatches": Quota(7, 15000)}


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'{"DailyApiRequests": {"Max": 1}}', b'{"DailyApiRequests": {"Max": "x"}}']
)
def test_what_cannot_be_read_changes_nothing(content: bytes) -> None:
    quotas = Quotas()
    quotas.read(httpx.Response(200, content=content))
    assert quotas.known == {}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param("api-usage=18/5000", {"DailyApiRequests": Quota(4982, 5000)}, id="§3.1"),
        pytest.param(
            "api-usage=25/5000; per-app-api-usage=17/250(appName=x)", {"DailyApiRequests": Quota(4975, 5000)}, id="more"
        ),
        pytest.param("api-usage=6000/5000", {"DailyApiRequests": Quota(0, 5000)}, id="overdrawn"),
        pytest.param("api-usage=many", {}, id="no number"),
        pytest.param("", {}, id="nothing"),
    ],
)
def test_every_answer_tells_the_calls(head: str, expected: dict[str, Quota]) -> None:
    quotas = Quotas()
    quotas.note(httpx.Response(200, headers={"Sforce-Limit-Info": head}))
    assert quotas.known == expected


def test_they_are_read_every_five_minutes_and_after_a_doubt() -> None:
    quotas = Quotas()
    assert quotas.is_due(0)
    quotas.ask(0)
    assert not quotas.is_due(READ_EVERY_S - 1)
    assert quotas.is_due(READ_EVERY_S)
    quotas.ask(READ_EVERY_S)
    quotas.doubt()
    assert quotas.is_due(READ_EVERY_S)
