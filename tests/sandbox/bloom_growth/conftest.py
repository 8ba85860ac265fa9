"""A tenant for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant


@pytest_asyncio.fixture
async def bloom() -> AsyncIterator[BloomTenant]:
    async with bloom_tenant() as found:
        yield found
