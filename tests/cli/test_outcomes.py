"""``sluice outcomes tail``."""

import asyncio
import json

import pytest

from sluice.client.bulk import bulk
from sluice.client.connection import Connection
from sluice.events import RecordEvent
from sluice.flow.outcome import Fate, Outcome
from tests.cli.conftest import Run, success
from tests.support.factories import DELIVERED
from tests.support.fake_writer import fake_writer

READ_ALL = ("outcomes", "tail", "crm", "--since", "beginning", "--until-end")


def reject_bad(event: RecordEvent) -> Outcome:
    return Outcome(Fate.REJECTED, "INVALID", "no such\nfield") if event.key == "bad" else DELIVERED


@pytest.fixture
def settled(crm: Connection) -> Connection:
    """Settle one delivered record of the job ``one``, and one dead letter of the job ``two``."""

    async def settle() -> None:
        async with fake_writer(crm, reject_bad):
            for key, job_id in (("good", "one"), ("bad", "two")):
                async with bulk("crm", crm, object="group/company", job_id=job_id) as handler:
                    handler.write(key, {"name": "Acme"})

    asyncio.run(settle())
    return crm


def test_receipts_are_aligned_lines(settled: Connection, run: Run) -> None:
    good, bad = sorted(success(run(*READ_ALL)).splitlines(), key=lambda line: "✗" in line)
    assert good[19:] == f"  ✓ {'group/company':<18} {'good':<24} {'CREATED':<20} v-1"
    assert bad[19:] == f"  ✗ {'group/company':<18} {'bad':<24} {'INVALID':<20} no such·field"


def test_json_says_everything(settled: Connection, run: Run) -> None:
    result = run(*READ_ALL, "--json")
    receipts = {receipt["event"]["key"]: receipt for receipt in map(json.loads, result.stdout.splitlines())}
    assert receipts["good"]["receipt"] == "succeeded"
    assert receipts["good"]["event"]["status"] == "CREATED"
    bad = receipts["bad"]
    assert (bad["receipt"], bad["error_class"], bad["code"]) == ("dead-letter", "rejected", "INVALID")
    assert bad["event"]["data"] == {"name": "Acme"}
    assert bad["source"]["topic"] == settled.topics("crm").records


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        pytest.param((*READ_ALL, "--failed"), {"bad"}, id="failed"),
        pytest.param(("outcomes", "tail", "crm", "--job", "one", "--until-end"), {"good"}, id="job"),
        pytest.param(("outcomes", "tail", "crm", "--since", "10m", "--until-end"), {"good", "bad"}, id="10 minutes"),
        pytest.param(("outcomes", "tail", "crm", "--since", "2020-01-01", "--limit", "2"), {"good", "bad"}, id="date"),
        pytest.param(("outcomes", "tail", "crm", "--until-end"), set(), id="now"),
        pytest.param((*READ_ALL, "--since", "1969-01-01"), {"good", "bad"}, id="before 1970"),
    ],
)
def test_options_select(settled: Connection, run: Run, options: tuple[str, ...], keys: set[str]) -> None:
    result = run(*options, "--json")
    assert {json.loads(line)["event"]["key"] for line in result.stdout.splitlines()} == keys
