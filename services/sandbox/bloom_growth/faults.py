"""Faults of this vendor beside those of the frame. bloom_growth.md §13.5."""

from typing import Annotated

import msgspec

from sandbox.faults.fault import Selection


class AnswerAfter(Selection, frozen=True, kw_only=True, tag="answer_after"):
    """Applies the request, then answers with a status and body of its own: 5xx after commit, 200 with a page."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 500
    body: str = ""
    content_type: str = "text/html"


class NullDetailsUrl(Selection, frozen=True, kw_only=True, tag="null_details_url"):
    """`DetailsUrl` is null in what the answer holds."""


class NullTarget(Selection, frozen=True, kw_only=True, tag="null_target"):
    """`Target` is null in every measurable and score of the answer."""


class ExpireToken(Selection, frozen=True, kw_only=True, tag="expire_token"):
    """All tokens die just before this request; with `skip`, in the middle of a batch."""
