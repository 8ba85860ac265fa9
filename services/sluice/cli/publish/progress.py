"""The progress bar of ``sluice publish``: rows, rows per second, and the time left by the share of bytes read."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sluice.cli.publish.input_file import InputFile

_REFRESH_S = 0.1
_LOOK_EVERY_ROWS = 64


class PublishProgress:
    """A progress bar on standard error where that is a terminal; nothing elsewhere."""

    def __init__(self, file: InputFile) -> None:
        self._file = file
        self._rows = self._rejected = 0
        self._started_at_s = self._shown_at_s = time.monotonic()
        console = Console(stderr=True)
        columns = [
            TextColumn("[progress.description]{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rows]}"),
            TimeElapsedColumn(),
        ]
        if file.total_bytes is not None:
            columns += [TextColumn("left"), TimeRemainingColumn()]
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("publishing", total=file.total_bytes, rows="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def count(self, *, rejected: bool = False) -> None:
        """Count one more row."""
        self._rows += 1
        self._rejected += rejected
        if self._bar.disable or self._rows % _LOOK_EVERY_ROWS:
            return
        now = time.monotonic()
        if now - self._shown_at_s > _REFRESH_S:
            self._shown_at_s = now
            rate = self._rows / (now - self._started_at_s)
            rejected_text = f"  [red]{self._rejected:,} rejected[/red]" if self._rejected else ""
            text = f"{self._rows:,} rows  {rate:,.0f}/s{rejected_text}"
            self._bar.update(self._task, completed=self._file.position_bytes, rows=text)
