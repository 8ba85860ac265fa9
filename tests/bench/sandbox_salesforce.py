"""Rows a second that the Salesforce sandbox takes and answers by Bulk API 2.0, and the memory of a million of them.

A job is created, filled, started and polled, and both its result files are fetched: all of it counts.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.bench.vendor import Row, Served, client, served_on_own_core

JOBS = 20
JOB_ROWS = 50_000
LARGE_JOB_ROWS = 1_000_000
MIN_ROWS_PER_S = 30_000
MAX_RESIDENT_GIB = 1.0
_PATH = "/services/data/v59.0/jobs/ingest"


def figures() -> list[Row]:
    """Measure inserts, upserts of the same rows, and fetching the results of a large job."""
    with sandbox() as (served, http):
        rows = _measure(served, http, "insert", "new rows", jobs=JOBS)
        memory = f"{served.resident_gib():.2f} GiB resident"
        rows += _measure(served, http, "upsert", "rows that are there", jobs=JOBS // 4)
        fetched_s = _fetched_s(served, http)
    return [
        *rows,
        (f"{JOBS * JOB_ROWS:,} rows stored, with their jobs and the ledger", memory, f"≤ {MAX_RESIDENT_GIB:g} GiB"),
        (f"results of one job of {LARGE_JOB_ROWS:,} rows fetched, median of 3", f"{fetched_s:.1f} s", ""),
    ]


@contextmanager
def sandbox() -> Iterator[tuple[Served, httpx.Client]]:
    with served_on_own_core("salesforce") as served:
        credentials = {name: served.credentials[name] for name in ("client_id", "client_secret")}
        form = {"grant_type": "client_credentials", **credentials}
        with client(served, "/services/oauth2/token", form) as http:
            yield served, http


def _fetched_s(served: Served, http: httpx.Client) -> float:
    """Return the seconds until the results of one large job have come. The sandbox answers others meanwhile."""
    body = "LastName,Title\n" + "".join(f"Berg{row},large\n" for row in range(LARGE_JOB_ROWS))
    path = _ended(http, {"object": "Contact", "operation": "insert"}, body.encode())

    def fetch(path: str) -> None:
        results = http.get(f"{path}/successfulResults").content
        assert results.count(b"\n") == LARGE_JOB_ROWS + 1, results[:500]

    return statistics.median(served.cost_of(fetch, [path]).elapsed_s for _ in range(3))


def _measure(served: Served, http: httpx.Client, operation: str, what: str, *, jobs: int) -> list[Row]:
    asked = {"object": "Contact", "operation": operation}
    if operation == "upsert":
        asked["externalIdFieldName"] = "Ext__c"

    def load(body: bytes) -> None:
        path = _ended(http, asked, body)
        succeeded = http.get(f"{path}/successfulResults").content
        failed = http.get(f"{path}/failedResults").content
        assert (succeeded.count(b"\n"), failed.count(b"\n")) == (JOB_ROWS + 1, 1), failed[:500]

    cost = served.cost_of(load, (_body(number, operation) for number in range(jobs)))
    return cost.rows(f"CSV, {operation} of {what}", jobs * JOB_ROWS, "rows", clock_budget=MIN_ROWS_PER_S)


def _ended(http: httpx.Client, asked: dict[str, str], body: bytes) -> str:
    """Return the path of a job that has been created, filled, started and polled until it was over."""
    path = f"{_PATH}/{http.post(_PATH, json=asked).raise_for_status().json()['id']}"
    http.put(f"{path}/batches", content=body, headers={"content-type": "text/csv"}).raise_for_status()
    http.patch(path, json={"state": "UploadComplete"}).raise_for_status()
    while http.get(path).json()["state"] in ("UploadComplete", "InProgress"):
        time.sleep(0.01)
    return path


def _body(number: int, operation: str) -> bytes:
    rows = (f"A-{number}-{row},Berg{row},Anna,b{row}@example.com,{operation}" for row in range(JOB_ROWS))
    return "\n".join(["Ext__c,LastName,FirstName,Email,Title", *rows]).encode()
