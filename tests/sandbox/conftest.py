"""A tenant, service or org for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sandbox.bloom_tenants import BloomTenant, bloom_tenant
from tests.sandbox.liquid_service import Service, service
from tests.sandbox.orgs import Served, org
from tests.sandbox.tenants import Tenant, tenant


@pytest_asyncio.fixture
async def blueconic() -> AsyncIterator[Tenant]:
    async with tenant() as found:
        yield found


@pytest_asyncio.fixture
async def bloom() -> AsyncIterator[BloomTenant]:
    async with bloom_tenant() as found:
        yield found


@pytest_asyncio.fixture
async def liquid() -> AsyncIterator[Service]:
    async with service() as found:
        yield found


@pytest_asyncio.fixture
async def salesforce() -> AsyncIterator[Served]:
    async with org() as found:
        yield found
