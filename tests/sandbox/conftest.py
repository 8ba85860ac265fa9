"""A tenant for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sandbox.tenants import Tenant, tenant


@pytest_asyncio.fixture
async def blueconic() -> AsyncIterator[Tenant]:
    async with tenant() as found:
        yield found
