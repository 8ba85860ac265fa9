"""Faults inside the service, switched like every fault. liquid_decisions.md §4, §12.

``SlowJob`` and ``FailJob`` act when a job is submitted and match that request. Lost and shuffled rejects of an upsert
are the common faults ``missing_results`` and ``shuffle_results``; a submit without an answer is ``drop_after``.
"""

from typing import Annotated

import msgspec

from sandbox.faults.fault import Seconds, Selection


class SlowJob(Selection, frozen=True, kw_only=True, tag="slow_job"):
    """Late job: it waits ``seconds`` more before it runs, and each of its slices takes ``slice_s``."""

    seconds: Seconds = 0.0
    slice_s: Seconds | None = None


class FailJob(Selection, frozen=True, kw_only=True, tag="fail_job"):
    """Job that ends ``Failed`` after ``after_records`` of its records, which stay; an export leaves no files."""

    after_records: Annotated[int, msgspec.Meta(ge=0)] = 0
    reason: str = "internal error"


class WrongCount(Selection, frozen=True, kw_only=True, tag="wrong_count"):
    """Wrong ``count`` of an upsert, off by this much, so that the fate of the items not rejected is unknown."""

    by: int = -1
