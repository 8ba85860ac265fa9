"""``sluice vendor-jobs`` beside Bulk API 1.0, which runs several batches of ours in one job of its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from click.testing import CliRunner

from sandbox.salesforce.faults import HoldJobs
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sluice.cli.__main__ import sluice
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Stage, StagedKind, code_of, record, staged
from tests.support.writer_process import eventually

LOGIN = {
    "flow": "client_credentials",
    "client_id": Settings().client_id,
    "client_secret": Settings().client_secret,
}
BULK1 = StagedKind({"kind": "salesforce_bulk1", "login": LOGIN, "external_ids": {"Contact": "Ext__c"}})
ITEMS = 40


@pytest_asyncio.fixture
async def stage(kafka: RunningKafka, prefix: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a test a stage of two lanes with Salesforce, without a writer."""
    async with staged(kafka, prefix, tmp_path, vendor=Salesforce(), kind=BULK1) as stage:
        yield stage


async def test_batches_in_one_job_are_aborted_together(stage: Stage) -> None:
    stage.app.vendor.faults.add(HoldJobs(times=None))
    config = stage.settings(window={"max_items": 10, "max_age_s": 0.5})
    stage.writer(config)
    places = await stage.publish(
        [record(f"c-{n}", object="Contact", operation="upsert", LastName=f"Number {n}") for n in range(ITEMS)]
    )

    async def ask(*arguments: str) -> list[dict[str, Any]]:
        line = ("--config", str(config), "vendor-jobs", *arguments, "--json")
        result = await asyncio.to_thread(CliRunner().invoke, sluice, line)
        assert result.exit_code == 0, result.output
        return [json.loads(one) for one in result.stdout.splitlines()]

    async def look() -> list[dict[str, Any]]:
        found = await ask("ls", "crm")
        is_all = sum(one["items"] for one in found if one["whose"] == "ours") == ITEMS
        return found if is_all and all(one["state"] == "submitted" for one in found) else []

    jobs = await eventually(look)
    assert {one["whose"] for one in jobs} == {"ours"}
    assert len({one["vendor_job"]["job"] for one in jobs}) == 1
    planned = await ask("abort", "crm", jobs[0]["vendor_job"]["job"], "--reason", "wrong file")
    assert {one["batch_id"] for one in planned} == {one["batch_id"] for one in jobs}
    told = await ask("abort", "crm", jobs[0]["batch_id"], "--reason", "wrong file", "--yes")
    assert {answer["result"] for one in told for answer in one["results"]} == {"done"}
    receipts = await stage.settled(places)
    assert {code_of(receipt) for receipt in receipts.values()} == {"aborted"}
