"""A client of Bulk API 1.0 over plain HTTP, for a Salesforce org in this process."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import Served, org

BASE = "/services/async/59.0"
NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LOADER, ADMIN, LIMITED = "loader@example.com", "admin@example.com", "limited@example.com"
XML, JSON, CSV = "application/xml", "application/json", "text/csv"
DATA_TYPES = {"XML": XML, "JSON": JSON, "CSV": CSV, "ZIP_XML": "zip/xml", "ZIP_JSON": "zip/json", "ZIP_CSV": "zip/csv"}


class Bulk1:
    """Org: ``http`` calls as the loader, with paths below ``BASE``; ``control`` is the control side of the sandbox."""

    def __init__(self, served: Served) -> None:
        self.url = served.url
        self.org = served.vendor.org
        self.http = served.http
        self.control = served.control
        self._served = served

    def session(self, username: str = LOADER) -> dict[str, str]:
        """Return the header of a new session of that user."""
        return {"X-SFDC-Session": self._served.session(username)}

    async def create(
        self,
        operation: str = "insert",
        object_name: str = "Contact",
        *,
        content_type: str = "CSV",
        external_id: str = "",
        concurrency: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Create a job and return its id."""
        body = job_xml(
            operation=operation,
            object=object_name,
            externalIdFieldName=external_id,
            concurrencyMode=concurrency,
            contentType=content_type,
        )
        answer = await self.post_job(body, **(headers or {}))
        assert answer.status_code == 201, answer.text
        return field(answer.text, "id")

    async def post_job(self, body: str | bytes, *, path: str = "/job", **headers: str) -> httpx.Response:
        """Send a create request; the name of a header may have ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, content=body, headers={"content-type": XML, **named})

    async def post_batch(
        self, job: str, body: str | bytes | AsyncIterator[bytes], content_type: str = CSV, **headers: str
    ) -> httpx.Response:
        sent = {"content-type": content_type, **headers}
        return await self.http.post(f"/job/{job}/batch", content=body, headers=sent)

    async def add(self, job: str, body: str | bytes, content_type: str = CSV) -> str:
        """Add a batch and return its id."""
        answer = await self.post_batch(job, body, content_type)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"]) if answer.headers["content-type"] == JSON else field(answer.text, "id")

    async def load(self, operation: str, *lines: str, external_id: str = "", object_name: str = "Contact") -> str:
        """Return the CSV results of one batch in a job of its own."""
        job = await self.create(operation, object_name, external_id=external_id)
        batch = await self.add(job, "\n".join(lines))
        answer = await self.http.get(f"/job/{job}/batch/{batch}/result")
        assert answer.status_code == 200, f"{answer.text} {(await self.info(job, batch))}"
        return answer.text

    async def query(self, soql: str, content_type: str = "CSV", operation: str = "query") -> str:
        """Return the only result file of a query."""
        job = await self.create(operation, content_type=content_type)
        path = f"/job/{job}/batch/{await self.add(job, soql, DATA_TYPES[content_type])}/result"
        [result] = re.findall(r"752\w{15}", (await self.http.get(path)).text)
        return (await self.http.get(f"{path}/{result}")).text

    async def records(self, soql: str) -> list[dict[str, Any]]:
        """Return the records that a query finds, without ``attributes``."""
        found = json.loads(await self.query(soql, "JSON"))
        return [{name: value for name, value in row.items() if name != "attributes"} for row in found]

    async def upsert(self, content_type: str, body: str | bytes) -> dict[str, str]:
        """Return the fields of a batch of contacts after an upsert by ``Ext__c``."""
        job = await self.create("upsert", content_type=content_type, external_id="Ext__c")
        batch = await self.add(job, body, DATA_TYPES[content_type])
        if content_type.endswith("JSON"):
            return dict((await self.http.get(f"/job/{job}/batch/{batch}")).json())
        return await self.info(job, batch)

    async def info(self, job: str, batch: str = "") -> dict[str, str]:
        """Return the fields of a job or batch of an XML or CSV job."""
        path = f"/job/{job}/batch/{batch}" if batch else f"/job/{job}"
        return fields((await self.http.get(path)).text)

    async def state(self, job: str, batch: str) -> str:
        return (await self.info(job, batch))["state"]

    async def change(self, job: str, state: str, **options: Any) -> httpx.Response:
        content = f'<jobInfo xmlns="{NAMESPACE}"><state>{state}</state></jobInfo>'
        return await self.http.post(f"/job/{job}", content=content, **options)


@asynccontextmanager
async def bulk1_org(settings: Settings | None = None) -> AsyncIterator[Bulk1]:
    """Yield an org of its own for one test."""
    async with org(settings) as served:
        served.http.base_url = httpx.URL(f"{served.url}{BASE}")
        del served.http.headers["authorization"]
        found = Bulk1(served)
        served.http.headers.update(found.session())
        yield found


def job_xml(**named: str) -> str:
    """Return a create request of the values that are not empty."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in named.items() if value)
    return f'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{NAMESPACE}">{inside}</jobInfo>'


INSERT = job_xml(operation="insert", object="Contact", contentType="CSV")


def rows_xml(*records: str) -> str:
    inside = "".join(f"<sObject>{record}</sObject>" for record in records)
    return f'<?xml version="1.0"?><sObjects xmlns="{NAMESPACE}" xmlns:xsi="{XSI}">{inside}</sObjects>'


def fields(text: str) -> dict[str, str]:
    """Return every ``<name>value</name>`` of one document."""
    return dict(re.findall(r"<(\w+)>([^<]*)</\1>", text))


def field(text: str, name: str) -> str:
    return fields(text)[name]


def rows(text: str) -> list[list[str]]:
    """Return the rows of a CSV without its header."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]


def error(code: str, message: str) -> str:
    """Return an error as §3.11 lays it out."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><error\n   xmlns="{NAMESPACE}">\n'
        f" <exceptionCode>{code}</exceptionCode>\n <exceptionMessage>{message}</exceptionMessage>\n</error>\n"
    )
