"""A Salesforce sandbox in this process, and clients with a session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from csv import DictReader
from io import StringIO
from typing import Any

import httpx
import pytest

from sandbox.control import SandboxControl
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sandbox.serving.app import App
from sandbox.serving.server import serve

CLIENT = {"client_id": "sandbox-consumer-key", "client_secret": "sandbox-consumer-secret"}
INGEST = "/services/data/v59.0/jobs/ingest"
QUERY = "/services/data/v59.0/jobs/query"
LIMITS = "/services/data/v59.0/limits"
CONTACTS = "Ext__c,LastName,Email\nA-1,Berg,berg@example.com\nA-2,,lind@example.com\n"
Csv = str | bytes
UPSERT = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Ext__c"}

REFUSED_SOQL = [
    pytest.param("SELECT COUNT() FROM Account", id="§3.8 COUNT"),
    pytest.param("SELECT COUNT(Id) FROM Account", id="§3.8 COUNT of a field"),
    pytest.param("SELECT SUM(NumberOfEmployees) FROM Account", id="§3.8 SUM"),
    pytest.param("SELECT Name FROM Account GROUP BY ROLLUP(Name)", id="§3.8 ROLLUP"),
    pytest.param("SELECT Name FROM Account GROUP BY CUBE(Name)", id="§3.8 GROUP BY CUBE"),
    pytest.param("SELECT Id FROM Account LIMIT 5 OFFSET 5", id="§3.8 OFFSET"),
    pytest.param("SELECT Id FROM Account OFFSET 0", id="§3.8 OFFSET of nothing"),
    pytest.param("SELECT Id, (SELECT Id FROM Contacts) FROM Account", id="§3.8 nested"),
    pytest.param("SELECT BillingAddress FROM Account", id="§3.8 compound address"),
    pytest.param("SELECT Foo FROM Account", id="unknown field"),
    pytest.param("SELECT Id FROM Foo", id="unknown object"),
    pytest.param("SELECT Id FROM Account WHERE Foo = 1", id="unknown field in WHERE"),
    pytest.param("SELECT Id FROM Account ORDER BY Foo", id="unknown field in ORDER BY"),
    pytest.param("SELECT Id FROM Account WHERE NumberOfEmployees = '1'", id="a text for a number"),
    pytest.param("SELECT Id FROM Account WHERE Name = 1", id="a number for a text"),
    pytest.param("SELECT Id FROM Account WHERE CreatedDate > 2020-02-31T00:00:00Z", id="no such day"),
    pytest.param("SELECT Id FROM Account WHERE " + "(" * 60 + "Name = 'x'" + ")" * 60, id="too deep"),
    pytest.param("SELECT Id FROM Account WHERE Name = 'x", id="an open quote"),
    pytest.param("UPDATE Account", id="no SELECT"),
]
"""Queries that neither Bulk API takes"""
BAD_CSV = [
    pytest.param('"LastName" \nBerg\n', id="§13.8 a blank beside a quote in the header"),
    pytest.param('LastName\n"Berg\n', id="an open quote"),
    pytest.param("LastName\nBerg,x\n", id="a value too many"),
    pytest.param(b"LastName\nB\xe9rg\n", id="§6 not UTF-8"),
    pytest.param(f"Description\n{'x' * 131_073}\n", id="§7 131,072 per field"),
    pytest.param("LastName,Title,Phone,Email\n" + ",".join(["x" * 100_001] * 4) + "\n", id="§7 400,000 per record"),
    pytest.param(",".join(f"f{n}" for n in range(5001)) + "\nx\n", id="§7 5,000 fields"),
    pytest.param(",".join(f"field{n:04}" for n in range(3600)) + "\n", id="§12 header row of 32,000 characters"),
]
"""Uploads that no Bulk API can read"""


class Served:
    """Org: ``http`` carries a session of the loader, ``control`` is the control side of the sandbox."""

    def __init__(self, url: str, vendor: Salesforce, http: httpx.AsyncClient, control: SandboxControl) -> None:
        self.url = url
        self.vendor = vendor
        self.http = http
        self.control = control

    def session(self, username: str = "loader@example.com") -> str:
        """Open a session without a login and return its id."""
        sessions = self.vendor.org.sessions
        user = sessions.user(username)
        assert user is not None
        return sessions.open(user)

    def as_user(self, username: str = "loader@example.com") -> dict[str, str]:
        """Return headers with a new session."""
        return {"authorization": f"Bearer {self.session(username)}"}

    async def create(self, operation: str = "upsert", object_name: str = "Contact", **members: str) -> str:
        """Return the id of a new ingest job; an upsert is by ``Ext__c``."""
        if operation == "upsert":
            members = {"externalIdFieldName": "Ext__c", **members}
        answer = await self.http.post(INGEST, json={"object": object_name, "operation": operation, **members})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def upload(self, job: str, csv: Csv) -> httpx.Response:
        return await self.http.put(f"{INGEST}/{job}/batches", content=csv, headers={"content-type": "text/csv"})

    async def patch(self, job: str, state: str, base: str = INGEST) -> httpx.Response:
        return await self.http.patch(f"{base}/{job}", json={"state": state})

    async def load(self, csv: Csv, operation: str = "upsert", object_name: str = "Contact", **members: str) -> str:
        """Start an ingest job and return its id."""
        job = await self.create(operation, object_name, **members)
        assert (await self.upload(job, csv)).status_code == 201
        assert (await self.patch(job, "UploadComplete")).status_code == 200
        return job

    async def info(self, job: str, base: str = INGEST) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"{base}/{job}")).json()
        return found

    async def results(self, job: str, kind: str = "successfulResults") -> list[dict[str, str]]:
        answer = await self.http.get(f"{INGEST}/{job}/{kind}/")
        assert answer.status_code == 200, answer.text
        return rows_of(answer)

    async def errors(self, job: str) -> dict[str, str]:
        """Return ``sf__Error`` by the first uploaded column."""
        return {list(row.values())[2]: row["sf__Error"] for row in await self.results(job, "failedResults")}

    async def code(self, csv: str, operation: str = "insert", object_name: str = "Contact") -> str:
        """Return the status code of the one row that failed."""
        [row] = await self.results(await self.load(csv, operation, object_name), "failedResults")
        return row["sf__Error"].split(":")[0]

    async def failure(self, csv: Csv, operation: str = "insert", **members: str) -> str:
        """Return the ``errorMessage`` of a job that fails."""
        info = await self.info(await self.load(csv, operation, **members))
        assert info["state"] == "Failed"
        return str(info["errorMessage"])

    async def ask(self, soql: str, **members: str) -> str:
        """Return the id of a new query job."""
        answer = await self.http.post(QUERY, json={"operation": "query", "query": soql, **members})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def query(self, soql: str, operation: str = "query") -> list[dict[str, str]]:
        return rows_of(await self.http.get(f"{QUERY}/{await self.ask(soql, operation=operation)}/results"))


@asynccontextmanager
async def org(settings: Settings | None = None) -> AsyncIterator[Served]:
    """Yield an org of its own for one test."""
    vendor = Salesforce(settings)
    async with (
        serve(App(vendor)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=30) as http,
        SandboxControl(url) as control,
    ):
        found = Served(url, vendor, http, control)
        http.headers.update(found.as_user())
        yield found
        await control.clear_faults()


@asynccontextmanager
async def org_with(accounts: str) -> AsyncIterator[Served]:
    """Yield an org with these accounts, and a contact with and one without an account."""
    async with org() as served:
        await served.load(accounts, object_name="Account")
        await served.load("LastName,Account.Ext__c\nBerg,E-1\nLind,\n", "insert")
        yield served


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    return list(DictReader(StringIO(answer.text, newline="")))


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and ``errorCode`` of a refused REST call."""
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    [error] = answer.json()
    assert error.keys() == {"errorCode", "message"}
    return answer.status_code, error["errorCode"]
