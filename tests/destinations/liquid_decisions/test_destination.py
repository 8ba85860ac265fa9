"""The account: its limits, the way that a batch goes, and what a check tells."""

from typing import Any

import pytest

from sandbox.liquid_decisions.faults import NoCommunity
from sandbox.liquid_decisions.settings import ItemType as SandboxType
from sandbox.liquid_decisions.settings import Settings
from sluice.destinations.contract import Destination, FoldsKeys, Misconfigured, Unavailable
from sluice.destinations.liquid_decisions.destination import WRITE_LIMITS, LiquidDecisions
from sluice.destinations.vendor_jobs import MixedDestination
from sluice.setting_types import Secret
from tests.destinations.liquid_decisions.offline import SETTINGS, Offline, account, importing, json
from tests.destinations.liquid_decisions.served import serving
from tests.support.factories import encode_batch


def test_it_writes_runs_jobs_and_folds_keys() -> None:
    destination = Offline({}).destination
    for contract in (Destination, MixedDestination, FoldsKeys):
        assert isinstance(destination, contract)
    assert destination.fold_key(b" A ") == b"a"


def test_windows_are_those_of_an_import_only_where_there_may_be_one() -> None:
    upserts, imports = LiquidDecisions(SETTINGS).limits, LiquidDecisions(importing(max_jobs=3)).limits
    assert (upserts.max_items, upserts.max_bytes, upserts.max_concurrent, upserts.max_jobs) == (*WRITE_LIMITS, 2, 0)
    assert (imports.max_items, imports.max_concurrent, imports.max_jobs) == (50_000, 3, 3)
    assert imports.max_bytes < 50 * 2**20


@pytest.mark.parametrize(
    ("write", "count", "operation", "chosen"),
    [
        pytest.param("upsert", 5, "upsert", 0, id="upserts"),
        pytest.param("import", 1, "upsert", 1, id="an import of one"),
        pytest.param("auto", 2, "upsert", 0, id="too few for an import"),
        pytest.param("auto", 3, "upsert", 3, id="enough for an import"),
        pytest.param("import", 5, "insert", 0, id="creates"),
        pytest.param("import", 5, "delete", 0, id="deletes"),
    ],
)
def test_the_settings_say_what_is_imported(write: str, count: int, operation: Any, chosen: int) -> None:
    destination = LiquidDecisions(importing(write))
    items = encode_batch(destination, [account(f"k{n}", operation) for n in range(count)]).items
    assert len(destination.jobs_of(items)) == chosen


async def test_no_call_lists_jobs() -> None:
    assert [job async for job in Offline({}).destination.jobs()] == []


async def test_a_check_tells_who_answered() -> None:
    async with serving() as served:
        answer = await served.destination.check()
        assert answer.startswith("Liquid Decisions at 127.0.0.1 accepts sandbox@example.com in ACME")
        assert served.vendor.communities["ACME"].database.tables["Account"].find("x") is None
        assert served.destination.vendor_at is not None


async def test_a_check_without_a_community_says_what_to_set() -> None:
    async with serving() as served:
        served.vendor.faults.add(NoCommunity())
        with pytest.raises(Misconfigured, match="setCommunity"):
            await served.destination.check()
    async with serving(community_by="setCommunity") as served:
        assert "in ACME" in await served.destination.check()


async def test_a_check_names_a_type_that_is_not_there() -> None:
    async with serving(Settings(item_types=(SandboxType(name="Movie", key_fields=("movieId",)),))) as served:
        with pytest.raises(Misconfigured, match="the item type Account cannot be read"):
            await served.destination.check()


async def test_a_check_with_a_wrong_password_shows_none() -> None:
    async with serving(password=Secret("wrong-one")) as served:
        with pytest.raises(Unavailable) as error:
            await served.destination.check()
        assert error.value.reason == "auth"
        assert "wrong-one" not in str(error.value)


async def test_a_check_whose_write_is_refused_has_arrived() -> None:
    offline = Offline({"sqlQuery": json([]), "upsert": json({"error": "empty"}, 400)})
    assert "ACME" in await offline.destination.check()
