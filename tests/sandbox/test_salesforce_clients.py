"""Other people's unmodified client against the sandbox: simple-salesforce. salesforce_bulk.md §10."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
import requests
from simple_salesforce.bulk2 import SFBulk2Handler
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin, token_login

from tests.sandbox.orgs import CLIENT, Served

T = TypeVar("T")


async def _aside(call: Callable[[], T]) -> T:
    """The client blocks, and the sandbox runs on this loop."""
    return await asyncio.to_thread(call)


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
    session_id, instance = await _aside(lambda: _login(salesforce))
    assert instance == salesforce.url.removeprefix("http://")
    assert salesforce.vendor.org.sessions.end(session_id)


async def test_simple_salesforce_understands_a_login_fault(salesforce: Served) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        await _aside(lambda: _login(salesforce, "wrong"))


async def test_simple_salesforce_gets_an_oauth_token(salesforce: Served) -> None:
    form = {"grant_type": "client_credentials", **CLIENT}

    def login() -> tuple[str, str]:
        with _session() as session:
            found = token_login(f"{salesforce.url}/services/oauth2/token", form, "x", "y", None, None, session)
            return found[0], found[1]

    token, instance = await _aside(login)
    assert instance == salesforce.url.removeprefix("http://")
    assert salesforce.vendor.org.sessions.end(token)


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

    loaded, failed, unprocessed, page = await _aside(run)
    assert (loaded[0]["numberRecordsProcessed"], loaded[0]["numberRecordsFailed"]) == (2, 1)
    assert "REQUIRED_FIELD_MISSING" in failed
    assert len(unprocessed.splitlines()) == 1
    assert page.splitlines() == ['"Ext__c"', '"A-1"']
