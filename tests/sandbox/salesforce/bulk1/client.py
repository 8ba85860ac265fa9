"""A Salesforce org in this process, and a client of its Bulk API 1.0 that speaks plain HTTP."""

import csv
import io
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sandbox.control import SandboxControl
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sandbox.serving.app import App
from sandbox.serving.server import serve

BASE = "/services/async/59.0"
NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
LOADER, ADMIN, LIMITED = "loader@example.com", "admin@example.com", "limited@example.com"
XML, JSON, CSV = "application/xml", "application/json", "text/csv"
DATA_TYPES = {
    "XML": XML,
    "JSON": JSON,
    "CSV": CSV,
    "ZIP_XML": "zip/xml",
    "ZIP_JSON": "zip/json",
    "ZIP_CSV": "zip/csv",
}


class Bulk1:
    """One org: `http` calls as the loader, with paths after `/services/async/59.0`; `control` is the sandbox's side."""

    def __init__(self, url: str, vendor: Salesforce, http: httpx.AsyncClient, control: SandboxControl) -> None:
        self.url = url
        self.org = vendor.org
        self.http = http
        self.control = control

    def session(self, username: str = LOADER) -> dict[str, str]:
        """The header of a new session of that user."""
        user = self.org.sessions.user(username)
        assert user is not None
        return {"X-SFDC-Session": self.org.sessions.open(user)}

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
        """The id of a job that must be made."""
        answer = await self.http.post(
            "/job",
            content=job_xml(
                operation=operation,
                object=object_name,
                externalIdFieldName=external_id,
                concurrencyMode=concurrency,
                contentType=content_type,
            ),
            headers={"content-type": XML, **(headers or {})},
        )
        assert answer.status_code == 201, answer.text
        return field(answer.text, "id")

    async def add(self, job: str, body: str | bytes, content_type: str = CSV) -> str:
        """The id of a batch that must be taken."""
        answer = await self.http.post(f"/job/{job}/batch", content=body, headers={"content-type": content_type})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"]) if answer.headers["content-type"] == JSON else field(answer.text, "id")

    async def load(self, operation: str, *lines: str, external_id: str = "", object_name: str = "Contact") -> str:
        """The CSV results of one batch in a job of its own."""
        job = await self.create(operation, object_name, external_id=external_id)
        batch = await self.add(job, "\n".join(lines))
        answer = await self.http.get(f"/job/{job}/batch/{batch}/result")
        assert answer.status_code == 200, f"{answer.text} {(await self.info(job, batch))}"
        return answer.text

    async def query(self, soql: str, content_type: str = "CSV", operation: str = "query") -> str:
        """The only result file of a query."""
        job = await self.create(operation, content_type=content_type)
        path = f"/job/{job}/batch/{await self.add(job, soql, DATA_TYPES[content_type])}/result"
        [result] = re.findall(r"752\w{15}", (await self.http.get(path)).text)
        return (await self.http.get(f"{path}/{result}")).text

    async def info(self, job: str, batch: str = "") -> dict[str, str]:
        """The fields of a job or batch of an XML or CSV job."""
        path = f"/job/{job}/batch/{batch}" if batch else f"/job/{job}"
        return fields((await self.http.get(path)).text)

    async def state(self, job: str, batch: str) -> str:
        return (await self.info(job, batch))["state"]

    async def change(self, job: str, state: str, **options: Any) -> httpx.Response:
        content = f'<jobInfo xmlns="{NAMESPACE}"><state>{state}</state></jobInfo>'
        return await self.http.post(f"/job/{job}", content=content, **options)


@asynccontextmanager
async def bulk1_org(settings: Settings | None = None) -> AsyncIterator[Bulk1]:
    """An org of its own for one test."""
    vendor = Salesforce(settings)
    async with (
        serve(App(vendor)) as url,
        httpx.AsyncClient(base_url=f"{url}{BASE}", trust_env=False, verify=False, timeout=30) as http,
        SandboxControl(url) as control,
    ):
        found = Bulk1(url, vendor, http, control)
        http.headers.update(found.session())
        yield found
        await control.clear_faults()


def job_xml(**named: str) -> str:
    """A create body of what is not empty."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in named.items() if value)
    return f'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{NAMESPACE}">{inside}</jobInfo>'


def fields(text: str) -> dict[str, str]:
    """Every `<name>value</name>` of one document."""
    return dict(re.findall(r"<(\w+)>([^<]*)</\1>", text))


def field(text: str, name: str) -> str:
    return fields(text)[name]


def rows(text: str) -> list[list[str]]:
    """The rows of a CSV without its header."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]


def error(code: str, message: str) -> str:
    """An error as §3.11 lays it out."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><error\n   xmlns="{NAMESPACE}">\n'
        f" <exceptionCode>{code}</exceptionCode>\n <exceptionMessage>{message}</exceptionMessage>\n</error>\n"
    )
