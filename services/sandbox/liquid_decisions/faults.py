"""What goes wrong inside the service, switched like every fault. liquid_decisions.md §4, §12.

A job passes the request that brought it: `SlowJob` and `FailJob` act when it is submitted. Lost and shuffled rejects
of an upsert are the frame's `missing_results` and `shuffle_results`, a submit without an answer is its `drop_after`.
"""

from typing import Annotated

import msgspec

from sandbox.faults.fault import Seconds, Selection


class SlowJob(Selection, frozen=True, kw_only=True, tag="slow_job"):
    """The job waits `seconds` more before it runs, and each of its slices takes `slice_s`: it finishes late."""

    seconds: Seconds = 0.0
    slice_s: Seconds | None = None


class FailJob(Selection, frozen=True, kw_only=True, tag="fail_job"):
    """The job ends Failed after `after_records` of its records, which stay written; an export leaves no files."""

    after_records: Annotated[int, msgspec.Meta(ge=0)] = 0
    reason: str = "internal error"


class WrongCount(Selection, frozen=True, kw_only=True, tag="wrong_count"):
    """The `count` of an upsert is off by this much, so that nothing is known of the items not rejected."""

    by: int = -1
