"""How many rows a second the Salesforce sandbox takes and answers by Bulk API 2.0, and what a million of them weigh.

    python -m tests.bench.sandbox_salesforce

The sandbox runs in a process of its own, pinned to one core. A job is created, filled, started and polled, and both
its result files are fetched; that time counts, making the rows does not.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.bench.figures import show_figures
from tests.bench.own_core import Served, served_on_own_core

JOBS = 20
JOB_ROWS = 50_000
LARGE_JOB_ROWS = 1_000_000
BUDGET_ROWS_PER_S = 30_000
BUDGET_GIB = 1.0

_PATH = "/services/data/v59.0/jobs/ingest"
_HEADER = "Ext__c,LastName,FirstName,Email,Title"


def figures() -> list[tuple[str, str, str]]:
    """What was measured, the figure, and its budget."""
    with _sandbox() as (served, http):
        rows = _measure(served, http, "insert", "new rows", jobs=JOBS)
        resident = served.resident_gib()
        rows += _measure(served, http, "upsert", "rows that are there", jobs=JOBS // 4)
        fetched_s = _fetched_s(http)
    return [
        *rows,
        (
            f"resident with {JOBS * JOB_ROWS:,} rows, their jobs and the ledger, GiB",
            f"{resident:.2f}",
            f"≤ {BUDGET_GIB:.0f}",
        ),
        (f"results of one job of {LARGE_JOB_ROWS:,} rows fetched, s, median of 3", f"{fetched_s:.1f}", ""),
    ]


def _fetched_s(http: httpx.Client) -> float:
    """Seconds until the results of one large job have come, median of 3. The sandbox answers others meanwhile."""
    body = "LastName,Title\n" + "".join(f"Berg{row},large\n" for row in range(LARGE_JOB_ROWS))
    path = _ended(http, {"object": "Contact", "operation": "insert"}, body.encode())
    return statistics.median(_timed(http, path) for _ in range(3))


def _timed(http: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    results = http.get(f"{path}/successfulResults").content
    elapsed_s = time.perf_counter() - started
    assert results.count(b"\n") == LARGE_JOB_ROWS + 1, results[:500]
    return elapsed_s


def _measure(served: Served, http: httpx.Client, operation: str, what: str, *, jobs: int) -> list[tuple[str, str, str]]:
    """Rows per second of elapsed time, and of the sandbox's processor time, which a busy machine leaves alone."""
    busy_s = served.busy_s()
    elapsed_s = sum(_load(http, number, operation) for number in range(jobs))
    busy_s = served.busy_s() - busy_s
    rows, name = jobs * JOB_ROWS, f"Bulk 2.0 CSV, {operation} of {what}"
    return [
        (f"{name}, rows/s", f"{rows / elapsed_s:,.0f}", f"≥ {BUDGET_ROWS_PER_S:,}"),
        (f"{name}, rows/CPU-s", f"{rows / busy_s:,.0f}", ""),
    ]


def _load(http: httpx.Client, number: int, operation: str) -> float:
    """Seconds for one job."""
    body = _body(number, operation)
    asked = {"object": "Contact", "operation": operation}
    if operation == "upsert":
        asked["externalIdFieldName"] = "Ext__c"
    started = time.perf_counter()
    path = _ended(http, asked, body)
    succeeded = http.get(f"{path}/successfulResults").content
    failed = http.get(f"{path}/failedResults").content
    elapsed_s = time.perf_counter() - started
    assert (succeeded.count(b"\n"), failed.count(b"\n")) == (JOB_ROWS + 1, 1), failed[:500]
    return elapsed_s


def _ended(http: httpx.Client, asked: dict[str, str], body: bytes) -> str:
    """The path of a job that has been created, filled, started and polled until it was over."""
    path = f"{_PATH}/{http.post(_PATH, json=asked).raise_for_status().json()['id']}"
    http.put(f"{path}/batches", content=body, headers={"content-type": "text/csv"}).raise_for_status()
    http.patch(path, json={"state": "UploadComplete"}).raise_for_status()
    while http.get(path).json()["state"] in ("UploadComplete", "InProgress"):
        time.sleep(0.01)
    return path


def _body(number: int, operation: str) -> bytes:
    rows = (f"A-{number}-{row},Berg{row},Anna,b{row}@example.com,{operation}" for row in range(JOB_ROWS))
    return "\n".join([_HEADER, *rows]).encode()


@contextmanager
def _sandbox() -> Iterator[tuple[Served, httpx.Client]]:
    headers = {"accept-encoding": "identity"}
    with (
        served_on_own_core("salesforce") as served,
        httpx.Client(base_url=served.url, trust_env=False, timeout=60, headers=headers) as http,
    ):
        http.headers["authorization"] = f"Bearer {access_token(http, served)}"
        yield served, http


def access_token(http: httpx.Client, served: Served) -> str:
    form = {name: served.credentials[name] for name in ("client_id", "client_secret")}
    path = f"{served.url}/services/oauth2/token"
    return str(http.post(path, data={**form, "grant_type": "client_credentials"}).json()["access_token"])


if __name__ == "__main__":
    show_figures({"salesforce": figures()})
