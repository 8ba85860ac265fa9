"""The story of Liquid Decisions, small, as a user runs it, and its records."""

import re
from typing import Any

from demo.liquid_decisions.shop import CANCELED_DAY, LOST_DAY, Shop
from demo.liquid_decisions.shop_story import count_applied
from sandbox.ledger.ledger import LedgerEntry
from tests.demo.running import demo


def entry(item_type: str, *, changed: bool) -> LedgerEntry:
    """Return an entry of the ledger about an item."""
    about: dict[str, Any] = {
        "seq": 1,
        "at": 0.0,
        "request": 1,
        "endpoint": "",
        "key": "1",
        "identifier": None,
        "operation": "Merge",
    }
    return LedgerEntry(**about, object=f"item/{item_type}", effect="Merged", changed=changed)


def test_liquid_decisions_gets_each_order_once_through_a_restart_a_lost_and_a_canceled_job() -> None:
    with demo("--vendor", "liquid_decisions", "--records", "400", "--outage-s", "2") as process:
        output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert re.search(r"(\d,\d\d\d) records published, \1 in crm.records, \1 receipts", output)
    # On a busy machine an order may be shown later than it is looked for: then an upsert tells of it.
    orders = re.findall(r"delivered +Order +(?:imported|accepted) +(\d+) +", output)
    assert sum(map(int, orders)) == 400, output
    assert re.search(r"dead letter +Order +aborted-at-vendor +41 +none", output)
    assert len(re.findall(r"a writer is told to stop, and ends with exit code 0", output)) == 2
    assert re.search(r"^ours .* import/Order +lost ", output, re.M)
    assert re.search(r"the restart: [1-9]\d* batches were submitted by one writer and collected by another", output)
    assert "lost answers: 1; looked for at Liquid Decisions: 1 found" in output
    assert "41 dead letters of crm were redriven" in output
    assert "every record had exactly one receipt" in output


def test_what_an_entry_has_not_changed_is_not_counted() -> None:
    entries = [entry("Order", changed=True), entry("Order", changed=False), entry("Account", changed=True)]
    assert count_applied(entries) == {"Order": {"applied": 1}, "Account": {"applied": 1}}


def test_every_order_is_in_one_file_and_its_customer_is_an_account() -> None:
    shop = Shop(None)
    files = [shop.orders, shop.orders_of(LOST_DAY), shop.orders_of(CANCELED_DAY)]
    orders = [row for file in files for row in file.rows]
    assert len({row["orderId"] for row in orders}) == len(orders) == 10_000
    assert {row["accountId"] for row in orders} == {row["accountId"] for row in shop.accounts.rows}


def test_no_product_is_there_twice_in_whatever_case() -> None:
    keys = [str(change.key).casefold() for change in Shop(None).products]
    assert len(set(keys)) == len(keys) == 589
