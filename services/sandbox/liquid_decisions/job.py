"""One job and its states, which follow from the clock. liquid_decisions.md §8, §9.

    Initialized ─► Accepted ─► Processing ─► Completed
        └► Rejected               │ a slice at a time
    Failed from Processing; Canceled where a noted cancel is found: before the run, or between two slices
    held: where it waits for its run or its next slice, until somebody releases it

All effects of a slice happen at its end.
"""

import uuid
from collections.abc import Sequence
from typing import Literal, Protocol

from sandbox.liquid_decisions.forms import Form
from sandbox.liquid_decisions.settings import Settings

State = Literal["Initialized", "Accepted", "Processing", "Completed", "Rejected", "Canceled", "Failed"]
Status = State | Literal["Canceling"]


class JobFailed(Exception):
    """Failure of the run; ``processed`` records of the slice were done."""

    def __init__(self, reason: str, processed: int = 0) -> None:
        super().__init__(reason)
        self.processed = processed


class Work(Protocol):
    """Work of a job while it is Processing. Each part may raise ``JobFailed``; ``at`` is seconds since 1970."""

    def begin(self) -> int:
        """Start, and return the number of records."""

    def advance(self, records: int, at: float) -> int:
        """Do the next records, and return how many count as processed."""

    def finish(self, at: float) -> Sequence[str]:
        """End successfully, and return the links to the results."""


class Job:
    """Submitted job. Instead of work it has a reason when parameters or file are bad: it will be Rejected."""

    def __init__(
        self,
        community: str,
        form: Form,
        settings: Settings,
        work: Work | str,
        *,
        accepted_reason: str,
        at: float,
        hold_after: int | None = None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.community = community
        self.form = form
        self.submitted_at = at
        self.state: State = "Initialized"
        self.reason = "received"
        self.links: Sequence[str] = ()
        self.processed = 0
        self.due_at: float | None = at + settings.initialize_s
        """Instant of its next change; null once it is over."""
        self.is_held = False
        self._hold_after = hold_after
        self._settings = settings
        self._accepted_reason = accepted_reason
        self._work: Work | None = None if isinstance(work, str) else work
        self._rejection = work if isinstance(work, str) else None
        self.records = self._done = 0
        self._is_canceling = False
        self._started_at: float | None = None
        self._ended_at: float | None = None

    @property
    def status(self) -> Status:
        return "Canceling" if self._is_canceling and self.due_at is not None else self.state

    def run_time_ms(self, now: float) -> int:
        if self._started_at is None:
            return 0
        return round(1000 * ((self._ended_at or now) - self._started_at))

    def cancel(self) -> None:
        """Note the cancel, which takes effect when the job next comes up; a job that is over stays as it is. §9"""
        if self.due_at is not None:
            self._is_canceling = True
            self.reason = "cancel noted"

    def release(self, at: float) -> None:
        """Let a held job go on at once, and hold it no more. A cancel noted between two slices takes effect."""
        self.is_held, self._hold_after, self.due_at = False, None, at
        if self._is_canceling and self.state == "Processing":
            self._cancel(at)

    def step(self) -> None:
        """Do the work that is due at ``due_at``."""
        if self.due_at is None:
            return
        at = self.due_at
        try:
            self._step(at)
        except JobFailed as failure:
            self.processed += failure.processed
            self._end("Failed", at, str(failure))
        except MemoryError:
            self._end("Failed", at, "the sandbox's memory is full")

    def _step(self, at: float) -> None:
        match self.state:
            case "Initialized" | "Accepted" if self._is_canceling:
                self._end("Canceled", at, "canceled before it ran")
            case "Initialized" if self._rejection is not None:
                self._end("Rejected", at, self._rejection)
            case "Initialized":
                self.state, self.reason = "Accepted", self._accepted_reason
                self._go_on(at + self._settings.queue_s)
            case "Accepted":
                self._start(at)
            case _:
                self._run_slice(at)

    def _start(self, at: float) -> None:
        assert self._work is not None
        self._started_at = at
        self.state, self.reason = "Processing", "running"
        self.records = self._work.begin()
        self.due_at = at + self._settings.slice_s
        if not self.records:
            self._complete(at)

    def _run_slice(self, at: float) -> None:
        assert self._work is not None
        records = min(self._settings.slice_records, self.records - self._done)
        self.processed += self._work.advance(records, at)
        self._done += records
        if self._done == self.records:
            self._complete(at)
        elif self._is_canceling:
            self._cancel(at)
        else:
            self._go_on(at + self._settings.slice_s)

    def _go_on(self, at: float) -> None:
        """Be due at that instant, or wait here for a release."""
        self.due_at = at
        self.is_held = self._hold_after is not None and self._done >= self._hold_after

    def _cancel(self, at: float) -> None:
        self._end("Canceled", at, "canceled" + self._counted(f" after {self._done} records"))

    def _complete(self, at: float) -> None:
        assert self._work is not None
        self.links = self._work.finish(at)
        self._end("Completed", at, self._counted(f"{self.processed} of {self.records} records") or "done")

    def _counted(self, text: str) -> str:
        return text if self._settings.counts_in_reason else ""

    def _end(self, state: State, at: float, reason: str) -> None:
        self.state, self.reason, self.due_at = state, reason, None
        self._ended_at = at
        self._work = None
