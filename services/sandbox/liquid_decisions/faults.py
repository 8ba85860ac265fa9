"""Faults inside the service, switched like every fault. liquid_decisions.md §4, §12, §15.

``SlowJob``, ``HoldJobs``, ``FailJob`` and ``LateCommit`` act when a job is submitted and match that request. Lost and
shuffled rejects of an upsert are the common faults ``missing_results`` and ``shuffle_results``; a submit without an
answer is ``drop_after``.
"""

from typing import Annotated

import msgspec

from sandbox.faults.fault import Seconds, Selection


class SlowJob(Selection, frozen=True, kw_only=True, tag="slow_job"):
    """Late job: it waits ``seconds`` more before it runs, and each of its slices takes ``slice_s``."""

    seconds: Seconds = 0.0
    slice_s: Seconds | None = None


class HoldJobs(Selection, frozen=True, kw_only=True, tag="hold_jobs"):
    """Job that waits until ``POST /_sandbox/jobs/release``, also when this is cleared, however late that is. §15

    It waits before it runs, or else at the end of the slice that reaches ``after_records``, if that is not its last.
    """

    after_records: Annotated[int, msgspec.Meta(ge=0)] = 0


class FailJob(Selection, frozen=True, kw_only=True, tag="fail_job"):
    """Job that ends ``Failed`` after ``after_records`` of its records, which stay; an export leaves no files."""

    after_records: Annotated[int, msgspec.Meta(ge=0)] = 0
    reason: str = "internal error"


class UnknownStatus(Selection, frozen=True, kw_only=True, tag="unknown_status"):
    """Status of a job shown as a word that no document has; it acts on whatever call shows the job. §8"""

    status: str = "Suspended"


class LateCommit(Selection, frozen=True, kw_only=True, tag="late_commit"):
    """Writes of an upsert or import that ``updates`` shows ``seconds`` after their ``processedAt``. §15"""

    seconds: Seconds


class NoCommunity(Selection, frozen=True, kw_only=True, tag="no_community"):
    """Token bound to no community, whatever its scope names; ``tokenInfo`` tells. §15"""


class WrongCount(Selection, frozen=True, kw_only=True, tag="wrong_count"):
    """Wrong ``count`` of an upsert, off by this much, so that the fate of the items not rejected is unknown."""

    by: int = -1


FAULT_KINDS: tuple[type[Selection], ...] = (
    SlowJob,
    HoldJobs,
    FailJob,
    UnknownStatus,
    LateCommit,
    NoCommunity,
    WrongCount,
)
