"""Faults: what goes wrong between a client and a vendor, switched while the sandbox runs.

A fault names the requests it meets (`method`, `path` prefix, in any case; null is any), lets the first `skip` of them
pass and acts on the next `times` (null: until cleared). Faults act in the order in which they were added; a fault that
ends the request (`status`, `drop_before`, `outage`, `drop_after`) leaves the later ones unused.
"""

from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Which requests a fault meets, and how often it acts."""

    times: Count | None = 1
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    method: str | None = None
    path: str | None = None

    def meets(self, method: str, path: str) -> bool:
        is_method = self.method is None or self.method.upper() == method
        # Vendors differ in whether the case of a path matters; to say which requests to meet, it does not.
        return is_method and path.lower().startswith((self.path or "").lower())


class Latency(Selection, frozen=True, kw_only=True, tag="latency"):
    """Waits before the vendor sees the request: `seconds` of the sandbox's clock, plus up to `jitter_s` at random."""

    seconds: Seconds
    jitter_s: Seconds = 0.0


class Status(Selection, frozen=True, kw_only=True, tag="status"):
    """Answers with a status of its own; the vendor never sees the request, nothing is applied."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    retry_after_s: Seconds | None = None
    body: str = ""
    content_type: str = "text/plain"


class DropBefore(Selection, frozen=True, kw_only=True, tag="drop_before"):
    """Closes the connection without an answer; nothing is applied."""


class DropAfter(Selection, frozen=True, kw_only=True, tag="drop_after"):
    """Applies the request, then closes the connection without an answer."""


class Stall(Selection, frozen=True, kw_only=True, tag="stall"):
    """Applies the request, then holds the answer back for `seconds` of the sandbox's clock."""

    seconds: Seconds


class Truncate(Selection, frozen=True, kw_only=True, tag="truncate"):
    """Applies the request, then cuts the body of its 200 in half.

    `length`: under the full Content-Length. `chunked`: a chunked stream that never ends. `complete`: a well-formed
    response whose body is half of what it should be. Waits for a 200 with a body; other answers pass.
    """

    framing: Literal["length", "chunked", "complete"] = "length"


class MissingResults(Selection, frozen=True, kw_only=True, tag="missing_results"):
    """Leaves `count` results, evenly spread, out of a bulk answer; the entries are applied."""

    count: Count = 1


class ShuffleResults(Selection, frozen=True, kw_only=True, tag="shuffle_results"):
    """Gives the results of a bulk answer in random order."""


class OmitIdentifiers(Selection, frozen=True, kw_only=True, tag="omit_identifiers"):
    """Leaves the entries' own identifiers out of a bulk answer's results."""


class ExpireTokens(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="expire_tokens", tag_field="kind"
):
    """Every token issued so far is dead from now on. Acts at once and leaves nothing to clear."""


class Outage(Selection, frozen=True, kw_only=True, tag="outage"):
    """For `seconds` of the sandbox's clock every request is dropped, or answered with `status` when one is given."""

    seconds: Seconds
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    times: Count | None = None


Standing = (
    Latency
    | Status
    | DropBefore
    | DropAfter
    | Stall
    | Truncate
    | MissingResults
    | ShuffleResults
    | OmitIdentifiers
    | Outage
)
Fault = Standing | ExpireTokens
