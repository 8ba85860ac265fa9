"""The story's real input: what a shop in the United Kingdom sold in a year, as accounts, products and orders.

``services/demo/liquid_decisions/SOURCES.md`` tells where the files are from.
"""

import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from demo.upstream import Change, File

LOST_DAY, CANCELED_DAY = "2011-12-08", "2011-12-09"
"""The last two days: of one the answer to the import is lost, of the other a person cancels the import."""
_HERE = Path(__file__).parent

Row = Mapping[str, str]


class Shop:
    """A shop in the year 2011."""

    def __init__(self, orders: int | None) -> None:
        """Take the last ``orders``, or all of them."""
        with gzip.open(_HERE / "orders.csv.gz", "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self._orders = rows[-orders:] if orders else rows

    @cached_property
    def accounts(self) -> File:
        """The customers as a file, each with the day of the first order."""
        first: dict[str, str] = {}
        for row in self._orders:
            first.setdefault(row["accountId"], row["orderedOn"])
        rows = [{"accountId": account, "customerSince": day} for account, day in first.items()]
        return File("accounts.csv", "Account", "accountId", "accounts", rows)

    @cached_property
    def products(self) -> Sequence[Change]:
        """The products with their prices, as they come in one by one."""
        with (_HERE / "products.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [
            Change("Product", "upsert", row["productId"], {"name": row["name"], "price": float(row["price"])})
            for row in rows
        ]

    @cached_property
    def orders(self) -> File:
        """All orders but those of the last two days."""
        return self._file("orders.csv", lambda day: day < LOST_DAY)

    def orders_of(self, day: str) -> File:
        """Return the orders of a day."""
        return self._file(f"orders-{day}.csv", lambda other: other == day)

    def _file(self, name: str, is_in: Callable[[str], bool]) -> File:
        rows = [row for row in self._orders if is_in(row["orderedOn"])]
        return File(name, "Order", "orderId", name.removesuffix(".csv"), rows, has_bad_row=False)
