"""Work that stops in the middle, for the fault ``fail_job``. liquid_decisions.md §12, §13."""

from collections.abc import Sequence

from sandbox.liquid_decisions.faults import FailJob
from sandbox.liquid_decisions.job import JobFailed, Work


class FailingWork:
    """Work that fails after ``fault.after_records`` records, or after all when there are fewer."""

    def __init__(self, work: Work, fault: FailJob) -> None:
        self._work = work
        self._left = fault.after_records
        self._reason = fault.reason

    def begin(self) -> int:
        records = self._work.begin()
        self._fail_if_due(0)
        return records

    def advance(self, records: int, at: float) -> int:
        allowed = min(records, self._left)
        processed = self._work.advance(allowed, at)
        self._left -= allowed
        self._fail_if_due(processed)
        return processed

    def finish(self, _: float) -> Sequence[str]:
        raise JobFailed(self._reason)

    def _fail_if_due(self, processed: int) -> None:
        if not self._left:
            raise JobFailed(self._reason, processed)
