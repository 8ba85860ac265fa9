"""Items of one community in a SQL database of its own, in memory. liquid_decisions.md §6 [assumed].

SQLite bounds it: one limit holds for the memory of all databases in the process. Past it a write or a query fails with
``MemoryError`` and leaves everything as it was.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.clock import Clock
from sandbox.liquid_decisions.item_table import ItemTable
from sandbox.liquid_decisions.settings import Settings

_PRAGMAS = ("journal_mode = MEMORY", "temp_store = MEMORY", "secure_delete = OFF")


class Database:
    """Tables of one community by type, which share serial numbers and instants of writes."""

    def __init__(self, community: str, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._serial = self._written_ms = 0
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for pragma in (*_PRAGMAS, f"hard_heap_limit = {settings.sql_memory_bytes}"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.tables = {one.name: ItemTable(self.connection, one, community) for one in settings.item_types}

    def next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def now_ms(self) -> int:
        return self._clock.now_ms()

    @contextmanager
    def transaction(self, at: float | None = None) -> Iterator[int]:
        """Yield the instant of the write in epoch milliseconds: now, or ``at`` (seconds since 1970).

        It is later than the instants of all earlier writes. If two writes had the same millisecond, a reader of
        ``updates`` between the two would miss the second.
        """
        due_ms = self._clock.now_ms() if at is None else int(at * 1000)
        self._written_ms = max(due_ms, self._written_ms + 1)
        self.connection.execute("BEGIN")
        try:
            yield self._written_ms
        except BaseException:
            if self.connection.in_transaction:  # Out of memory, SQLite may have rolled back by itself.
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
