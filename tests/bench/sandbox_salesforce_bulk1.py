"""Rows a second that the Salesforce sandbox takes and answers by Bulk API 1.0, in batches of 10,000 CSV rows.

A batch is posted, polled until it has ended, and its results are fetched: all of it counts.
"""

import re
import time

import httpx

from tests.bench.sandbox_salesforce import MIN_ROWS_PER_S, sandbox
from tests.bench.vendor import Row, Served

BATCH_ROWS = 10_000
BATCHES = 20
_PATH = "/services/async/59.0/job"
_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"


def figures() -> list[Row]:
    """Measure inserts, and upserts of the same keys, which find what was inserted."""
    with sandbox() as (served, http):
        http.headers["X-SFDC-Session"] = http.headers["authorization"].removeprefix("Bearer ")
        rows = _measure(served, http, "insert", "new rows")
        return rows + _measure(served, http, "upsert", "rows that are there")


def _measure(served: Served, http: httpx.Client, operation: str, what: str) -> list[Row]:
    key = "<externalIdFieldName>Ext__c</externalIdFieldName>" if operation == "upsert" else ""
    asked = f"<operation>{operation}</operation><object>Contact</object>{key}<contentType>CSV</contentType>"
    job = _created(http, _PATH, f'<jobInfo xmlns="{_NAMESPACE}">{asked}</jobInfo>', "application/xml")

    def load(body: str) -> None:
        batch = _created(http, f"{job}/batch", body, "text/csv")
        while _found(http.get(batch).text, "state") in ("Queued", "InProgress"):
            time.sleep(0.01)
        results = http.get(f"{batch}/result").text
        assert results.count('"true"') >= BATCH_ROWS, results[:500]

    cost = served.cost_of(load, [_body(number, operation) for number in range(BATCHES)])
    return cost.rows(f"CSV, {operation} of {what}", BATCHES * BATCH_ROWS, "rows", clock_budget=MIN_ROWS_PER_S)


def _body(number: int, operation: str) -> str:
    lines = [f"A-{number}-{row},Berg{row},berg{row}@example.com,{operation}" for row in range(BATCH_ROWS)]
    return "\n".join(["Ext__c,LastName,Email,Title", *lines])


def _created(http: httpx.Client, path: str, body: str, content_type: str) -> str:
    """Return the path of the job or batch that ``body`` makes below ``path``."""
    answer = http.post(path, content=body, headers={"content-type": content_type})
    assert answer.status_code == 201, answer.text
    return f"{path}/{_found(answer.text, 'id')}"


def _found(text: str, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", text)
    assert found, text
    return found[1]
