"""An org for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sandbox.salesforce.bulk1.client import Bulk1, bulk1_org


@pytest_asyncio.fixture(name="org")
async def _org() -> AsyncIterator[Bulk1]:
    async with bulk1_org() as found:
        yield found
