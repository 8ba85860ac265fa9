"""Version and session of the calls under ``/services/data``. salesforce_bulk.md §1, §4.3."""

import pytest

from tests.sandbox.salesforce.orgs import INGEST, UPSERT, Served, error_of


@pytest.mark.parametrize(
    ("version", "status"),
    [
        pytest.param("v7.0", 410, id="§1 retired Summer '22"),
        pytest.param("v30.0", 410, id="§1 retired Summer '25"),
        pytest.param("v31.0", 200, id="§1 oldest"),
        pytest.param("v66.0", 200, id="§1 newest"),
        pytest.param("v67.0", 404, id="not yet"),
        pytest.param("59.0", 404, id="without v"),
    ],
)
async def test_versions_31_to_66_are_served(salesforce: Served, version: str, status: int) -> None:
    assert (await salesforce.http.get(f"/services/data/{version}/limits")).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"authorization": ""}, id="none"),
        pytest.param({"authorization": "Bearer dead"}, id="unknown"),
        pytest.param({"authorization": "Basic dead"}, id="another scheme"),
    ],
)
async def test_without_a_session_nothing_is_answered(salesforce: Served, headers: dict[str, str]) -> None:
    answer = await salesforce.http.post(INGEST, json=UPSERT, headers=headers)
    assert error_of(answer) == (401, "INVALID_SESSION_ID")
    assert answer.json()[0]["message"] == "Session expired or invalid"
