"""How many rows a second the Salesforce sandbox takes and answers by Bulk API 1.0, in batches of 10,000 CSV rows.

    python -m tests.bench.sandbox_salesforce_bulk1

The sandbox runs in a process of its own, pinned to one core. A batch is posted, polled until it has ended, and its
results are fetched; that time counts, making the rows does not.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from tests.bench.figures import show_figures
from tests.bench.own_core import Served, served_on_own_core
from tests.bench.sandbox_salesforce import access_token

BATCH_ROWS = 10_000
BATCHES = 20
BUDGET_ROWS_PER_S = 30_000

_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"


class Measured(NamedTuple):
    """Rows per second of elapsed time, and per second of the sandbox's processor time."""

    per_s: float
    per_cpu_s: float


def figures() -> list[tuple[str, str, str]]:
    """What was measured, the figure, and its budget."""
    with _sandbox() as (served, http):
        rows: list[tuple[str, str, str]] = []
        for operation, what in (("insert", "new rows"), ("upsert", "rows that are there")):
            measured = _measure(served, http, operation)
            budget = f"≥ {BUDGET_ROWS_PER_S:,}"
            rows.append((f"Bulk 1.0 CSV, {operation} of {what}, rows/s", f"{measured.per_s:,.0f}", budget))
            rows.append((f"Bulk 1.0 CSV, {operation} of {what}, rows/CPU-s", f"{measured.per_cpu_s:,.0f}", ""))
        return rows


def _measure(served: Served, http: httpx.Client, operation: str) -> Measured:
    """The keys of both operations are the same, so the second finds what the first made."""
    key = "<externalIdFieldName>Ext__c</externalIdFieldName>" if operation == "upsert" else ""
    asked = f"<operation>{operation}</operation><object>Contact</object>{key}<contentType>CSV</contentType>"
    created = _posted(http, "/job", f'<jobInfo xmlns="{_NAMESPACE}">{asked}</jobInfo>', "application/xml")
    job = _found(created, "id")
    bodies = [_body(number, operation) for number in range(BATCHES)]
    started, busy = time.perf_counter(), served.busy_s()
    for body in bodies:
        _load(http, job, body)
    elapsed, busy = time.perf_counter() - started, served.busy_s() - busy
    rows = BATCHES * BATCH_ROWS
    return Measured(rows / elapsed, rows / busy)


def _load(http: httpx.Client, job: str, body: str) -> None:
    batch = _found(_posted(http, f"/job/{job}/batch", body, "text/csv"), "id")
    path = f"/job/{job}/batch/{batch}"
    while _found(http.get(path).text, "state") in ("Queued", "InProgress"):
        time.sleep(0.01)
    results = http.get(f"{path}/result").text
    assert results.count('"true"') >= BATCH_ROWS, results[:500]


def _body(number: int, operation: str) -> str:
    lines = [f"A-{number}-{row},Berg{row},berg{row}@example.com,{operation}" for row in range(BATCH_ROWS)]
    return "\n".join(["Ext__c,LastName,Email,Title", *lines])


def _posted(http: httpx.Client, path: str, body: str, content_type: str) -> str:
    answer = http.post(path, content=body, headers={"content-type": content_type})
    assert answer.status_code == 201, answer.text
    return answer.text


def _found(text: str, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", text)
    assert found, text
    return found[1]


@contextmanager
def _sandbox() -> Iterator[tuple[Served, httpx.Client]]:
    with (
        served_on_own_core("salesforce") as served,
        httpx.Client(base_url=f"{served.url}/services/async/59.0", trust_env=False, timeout=60) as http,
    ):
        http.headers["X-SFDC-Session"] = access_token(http, served)
        yield served, http


if __name__ == "__main__":
    show_figures({"salesforce, Bulk API 1.0": figures()})
