"""Faults that only this vendor has. bloom_growth.md §13.5."""

from typing import Annotated

import msgspec

from sandbox.faults.fault import Selection


class AnswerAfter(Selection, frozen=True, kw_only=True, tag="answer_after"):
    """An answer with this status and body, after the request was applied: 5xx after commit, 200 with a page."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 500
    body: str = ""
    content_type: str = "text/html"


class NullDetailsUrl(Selection, frozen=True, kw_only=True, tag="null_details_url"):
    """An answer in which every ``DetailsUrl`` is null."""


class NullTarget(Selection, frozen=True, kw_only=True, tag="null_target"):
    """An answer in which ``Target`` is null in every measurable and score."""


class ExpireToken(Selection, frozen=True, kw_only=True, tag="expire_token"):
    """Expiry of all tokens just before this request; with ``skip``, in the middle of a batch."""
