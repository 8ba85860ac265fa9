"""Fixture: a Bloom Growth stand-in for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.destinations.bloom_growth.tenant import Tenant, tenant


@pytest_asyncio.fixture
async def acme() -> AsyncIterator[Tenant]:
    async with tenant() as found:
        yield found
