"""An org with accounts and contacts to query."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sandbox.salesforce.orgs import Served, org_with

ACCOUNTS = """Ext__c,Name,NumberOfEmployees,Active__c
E-1,Alder,10,true
E-2,Birch,20,false
E-3,Cedar,,true
E-4,Alder,40,true
"""


@pytest_asyncio.fixture(scope="module", name="forest")
async def _forest() -> AsyncIterator[Served]:
    async with org_with(ACCOUNTS) as served:
        yield served
