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


class IgnoreWrite(Selection, frozen=True, kw_only=True, tag="ignore_write"):
    """A change that is answered as a success and not made: updates, archive, restore, solve, complete. §15

    A create or delete passes: the fault waits for a change.
    """


class VanishMeeting(Selection, frozen=True, kw_only=True, tag="vanish_meeting"):
    """Deletion of a call's meeting right after the call, as by a person between two calls of a client. §7

    The fault waits for a call that names a meeting in its path and succeeds.
    """


class ExpireToken(Selection, frozen=True, kw_only=True, tag="expire_token"):
    """Expiry of all tokens just before this request; with ``skip``, in the middle of a batch."""
