"""One community: its items and their writer. liquid_decisions.md §1, tenant."""

from sandbox.clock import Clock
from sandbox.ledger.ledger import Ledger
from sandbox.liquid_decisions.database import Database
from sandbox.liquid_decisions.item_table import ItemTable
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import Settings
from sandbox.liquid_decisions.writer import Writer


class Community:
    """Community of a token; no other community sees anything in it."""

    def __init__(self, name: str, settings: Settings, clock: Clock, ledger: Ledger) -> None:
        self.name = name
        self.settings = settings
        self.database = Database(name, settings, clock)
        self.writer = Writer(settings, self.database, ledger)

    def table(self, item_type: str) -> ItemTable:
        """Return the table of a type. Raises a 400 for an unknown type. [assumed]"""
        if item_type not in self.database.tables:
            raise Refusal(f"no item type {item_type!r}")
        return self.database.tables[item_type]
