"""The live view of a writer: redrawn in place on a terminal, a line every two seconds elsewhere."""

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Column, Table

from demo.figures import Figures
from demo.screen import Screen

_LINE_EVERY_S = 2.0
_RATE_OVER_S = 1.5
_BAR_WIDTH = 40
_WIDTH = 100


class LiveView:
    """Shows a writer's figures as they come."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._started_at_s = self._line_at_s = time.monotonic()
        self._counted: deque[tuple[float, int]] = deque()
        """Receipts that were counted in the last ``_RATE_OVER_S`` seconds, each time with the instant."""
        self._is_shown = False
        self._live = Live(console=screen.console, auto_refresh=False) if screen.is_live else None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the view while the context is open; the last figures stay on the screen."""
        self._is_shown = True
        try:
            with self._live or nullcontext():
                yield
        finally:
            self._is_shown = False

    def event(self, text: str) -> None:
        """Print an event as a line that stays, with the time since the start."""
        self._screen.print(f"[dim]{time.monotonic() - self._started_at_s:5.1f} s[/]  {text}")

    def update(self, figures: Figures, published: int, expected: int) -> None:
        """Show ``figures``, if the view is shown; of ``expected`` records, ``published`` are in Kafka now."""
        if not self._is_shown:
            return
        now_s = time.monotonic()
        rate = self._rate(now_s, figures.receipts)
        if self._live is not None:
            self._live.update(_panel(figures, published, rate, now_s - self._started_at_s), refresh=True)
        elif now_s - self._line_at_s >= _LINE_EVERY_S or figures.receipts == expected:
            self._line_at_s = now_s
            self.event(_line(figures, published, rate))

    def _rate(self, now_s: float, receipts: int) -> float:
        """Return the receipts per second."""
        self._counted.append((now_s, receipts))
        while now_s - self._counted[0][0] > _RATE_OVER_S:
            self._counted.popleft()
        since_s, before = self._counted[0]
        return (receipts - before) / (now_s - since_s) if now_s > since_s else 0.0


def _panel(figures: Figures, published: int, rate: float, elapsed_s: float) -> Panel:
    rows = Table.grid(Column(style="dim", no_wrap=True), Column(), padding=(0, 2))
    bar = Table.grid(padding=(0, 2))
    count = f"[bold]{figures.receipts:,}[/] of {published:,} records"
    bar.add_row(ProgressBar(total=published, completed=figures.receipts, width=_BAR_WIDTH), count)
    rows.add_row("receipts", bar)
    rows.add_row("speed", f"[bold]{rate:,.0f}[/] records/s")
    rows.add_row("vendor", _vendor(figures))
    codes = "  ".join(f"{code} [bold]{count:,}[/]" for code, count in sorted(figures.by_code.items()))
    memory = f"{figures.buffered:,} records in memory, the others wait in Kafka"
    rows.add_row("in flight", f"{figures.in_flight} of {figures.max_in_flight} requests; {memory}")
    if figures.vendor_jobs is None:
        rows.add_row("windows", _windows(figures) or "none closed yet")
    else:
        rows.add_row("vendor jobs", _vendor_jobs(figures))
    rows.add_row("by code", codes or "none yet")
    rows.add_row("dead letters", f"{figures.dead_letters}")
    title = f"writer of crm [dim]{elapsed_s:.0f} s[/]"
    return Panel(rows, title=title, title_align="left", width=_WIDTH, border_style="red" if figures.is_holding else "")


def _line(figures: Figures, published: int, rate: float) -> str:
    vendor = f"; {_vendor(figures)}" if figures.is_holding else ""
    work = f"requests in flight: {figures.in_flight}"
    if figures.vendor_jobs is not None:
        work = f"vendor jobs: {_vendor_jobs(figures)}"
    return (
        f"{figures.receipts:,} of {published:,} receipts, {rate:,.0f}/s; {work}; "
        f"dead letters: {figures.dead_letters}{vendor}"
    )


def _vendor_jobs(figures: Figures) -> str:
    states = Counter(job.word for job in (figures.vendor_jobs or {}).values())
    words = ", ".join(f"{count} {word}" for word, count in sorted(states.items()))
    return f"{words} ({figures.at_vendor:,} records)" if words else "none"


def _vendor(figures: Figures) -> str:
    if not figures.is_holding:
        return "[green]takes requests[/]"
    what = "trying now" if figures.held_for_s <= 0 else f"next try in {figures.held_for_s:.1f} s"
    return f"[bold red]on hold[/]: unavailable {figures.failures} times in a row, {what}"


def _windows(figures: Figures) -> str:
    return "; ".join(
        f"{count} closed by {reason} ({figures.windowed[reason] / count:,.0f} records each)"
        for reason, count in figures.windows.items()
        if count
    )
