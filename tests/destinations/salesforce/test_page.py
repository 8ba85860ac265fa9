"""What docs/salesforce.md says of Salesforce alone: its flows, its limits, its codes."""

from pathlib import Path

from sluice.destinations.salesforce.bulk1 import Bulk1
from sluice.destinations.salesforce.bulk2 import Bulk2
from sluice.destinations.salesforce.row_errors import RETRYABLE
from tests.test_vendor_pages import PAGES

[PAGE] = [page for page in PAGES if page.name == "salesforce"]


def test_it_shows_every_flow(tmp_path: Path) -> None:
    accounts = [account for text in PAGE.blocks("yaml") for account in PAGE.accounts(text, tmp_path).values()]
    flows = {account.login.__struct_config__.tag for account in accounts}
    assert flows == {"soap", "client_credentials", "jwt", "password"}


def test_its_limits_are_those_of_the_kinds(tmp_path: Path) -> None:
    accounts = PAGE.accounts(PAGE.blocks("yaml")[1], tmp_path)
    one, two = Bulk1(accounts["by-soap"]).limits, Bulk2(accounts["by-app"]).limits
    assert f"| records of a batch | {one.max_items:,} | {two.max_items:,};" in PAGE.text
    assert f"| bytes of a batch | {one.max_bytes:,} | {two.max_bytes:,} |" in PAGE.text


def test_it_names_all_codes_of_rows_that_are_tried_again() -> None:
    assert [code for code in RETRYABLE if f"`{code}`" not in PAGE.text] == []
