"""The progress bar of ``sluice publish``: rows, rows per second, and the time left by the share of bytes read."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sluice.cli.publish.input_file import InputFile

_SHOW_EVERY_ROWS = 64


class PublishProgress(Progress):
    """A progress bar on standard error where that is a terminal; nothing elsewhere."""

    def __init__(self, file: InputFile) -> None:
        console = Console(stderr=True)
        columns = [
            TextColumn("[progress.description]{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rows]}"),
            TimeElapsedColumn(),
        ]
        if file.total_bytes is not None:
            columns += [TextColumn("left"), TimeRemainingColumn()]
        super().__init__(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._file = file
        self._started_at_s = time.monotonic()
        self._task = self.add_task("publishing", total=file.total_bytes, rows="")

    def show(self, published: int, rejected: int) -> None:
        """Show the counts of rows so far. Cheap enough to be called after each row: it shows every 64th."""
        rows = published + rejected
        if not self.disable and rows % _SHOW_EVERY_ROWS == 0:
            rate = rows / (time.monotonic() - self._started_at_s)
            rejected_text = f"  [red]{rejected:,} rejected[/red]" if rejected else ""
            text = f"{rows:,} rows  {rate:,.0f}/s{rejected_text}"
            self.update(self._task, completed=self._file.position_bytes, rows=text)
