"""Other people's unmodified client against the sandbox: simple-salesforce. salesforce_bulk.md §10.

It runs in threads, because it blocks and the sandbox runs on this loop.
"""

from asyncio import to_thread
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.bulk2 import SFBulk2Handler
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceMalformedRequest
from simple_salesforce.login import SalesforceLogin, token_login

from tests.sandbox.salesforce.orgs import CLIENT, Served


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _login(served: Served, password: str = "loader-password") -> tuple[str, str]:
    with _session() as session:
        return SalesforceLogin(
            username="loader@example.com",
            password=password,
            security_token="TOKEN",
            sf_version="59.0",
            scratch_url=served.url,
            session=session,
        )


async def test_simple_salesforce_logs_in_over_soap(salesforce: Served) -> None:
    session_id, instance = await to_thread(lambda: _login(salesforce))
    assert instance == salesforce.url.removeprefix("http://")
    assert salesforce.vendor.org.sessions.renew(session_id)


async def test_simple_salesforce_understands_a_login_fault(salesforce: Served) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        await to_thread(lambda: _login(salesforce, "wrong"))


async def test_simple_salesforce_gets_an_oauth_token(salesforce: Served) -> None:
    form = {"grant_type": "client_credentials", **CLIENT}

    def login() -> tuple[str, str]:
        with _session() as session:
            found = token_login(f"{salesforce.url}/services/oauth2/token", form, "x", "y", None, None, session)
            return found[0], found[1]

    token, instance = await to_thread(login)
    assert instance == salesforce.url.removeprefix("http://")
    assert salesforce.vendor.org.sessions.renew(token)


async def test_simple_salesforce_loads_and_queries_over_bulk_2(salesforce: Served) -> None:
    def run() -> tuple[list[dict[str, int]], str, str, str]:
        session_id, _ = _login(salesforce)
        with _session() as session:
            bulk = SFBulk2Handler(session_id, f"{salesforce.url}/services/data/v59.0/jobs/", session=session)
            rows = [{"Ext__c": "A-1", "LastName": "Berg"}, {"Ext__c": "A-2", "LastName": ""}]
            loaded = bulk.Contact.upsert(records=rows, external_id_field="Ext__c", wait=0)
            job = str(loaded[0]["job_id"])
            failed = bulk.Contact.get_failed_records(job)
            unprocessed = bulk.Contact.get_unprocessed_records(job)
            [page] = bulk.Contact.query("SELECT Ext__c FROM Contact", wait=0)
            return loaded, failed, unprocessed, str(page)

    loaded, failed, unprocessed, page = await to_thread(run)
    assert (loaded[0]["numberRecordsProcessed"], loaded[0]["numberRecordsFailed"]) == (2, 1)
    assert "REQUIRED_FIELD_MISSING" in failed
    assert len(unprocessed.splitlines()) == 1
    assert page.splitlines() == ['"Ext__c"', '"A-1"']


class _EndsTls(HTTPAdapter):
    """Adapter to HTTP: the client always says https, the sandbox speaks HTTP, as behind a proxy."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **options)


def _client(served: Served) -> Salesforce:
    session_id, instance = _login(served)
    session = _session()
    session.mount("https://", _EndsTls())
    return Salesforce(session_id=session_id, instance=instance, session=session, version="59.0")


async def test_simple_salesforce_reads_back_with_query_and_query_all(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName\n" + "".join(f"K-{number:04},Berg\n" for number in range(4500)))

    def run() -> tuple[Any, Any, Any]:
        client = _client(salesforce)
        count = client.query("SELECT COUNT() FROM Contact WHERE LastName = 'Berg'")
        first = client.query("SELECT Id FROM Contact")
        return count, first, client.query_all("SELECT Ext__c FROM Contact ORDER BY Ext__c OFFSET 1")

    count, first, everything = await to_thread(run)
    assert (count["totalSize"], count["records"]) == (4500, [])
    assert (first["totalSize"], first["done"], len(first["records"])) == (4500, False, 2000)
    assert (everything["totalSize"], everything["done"]) == (4499, True)
    assert [record["Ext__c"] for record in everything["records"]] == [f"K-{number:04}" for number in range(1, 4500)]


async def test_simple_salesforce_understands_a_malformed_query(salesforce: Served) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_QUERY"):
        await to_thread(lambda: _client(salesforce).query("SELECT FROM Contact"))
