"""Fixtures: a tenant, service or org for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant
from tests.sandbox.blueconic.tenants import Tenant, tenant
from tests.sandbox.liquid_decisions.service import Service, service
from tests.sandbox.salesforce.orgs import Served, org


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
