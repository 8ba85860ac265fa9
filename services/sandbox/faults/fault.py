"""Kinds of fault between a client and a vendor, switched while the sandbox runs.

A fault names the requests that it meets (``method``, ``path`` prefix, in any case, ``contains``; null is any), lets the
first ``skip`` of them pass and acts on the next ``times`` (null: until cleared). Faults act in the order in which they
were added; a fault that ends the request (``status``, ``drop_before``, ``outage``, ``drop_after``, ``status_after``,
``garbage``, ``endless``, ``bomb``) leaves the later ones unused.
"""

from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Choice of the requests that a fault meets, and how often it acts.

    A segment ``*`` of the path stands for any one segment. ``contains`` is a part of the request's body, as sent; work
    that is done later has no body.
    """

    times: Count | None = 1
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    method: str | None = None
    path: str | None = None
    contains: str | None = None

    def meets(self, method: str, path: str, body: bytes = b"") -> bool:
        is_method = self.method is None or self.method.upper() == method
        # Vendors differ in whether the case of a path matters. For the choice of requests it does not.
        is_path = self.path is None or _begins(path.lower(), self.path.lower())
        return is_method and is_path and (self.contains is None or self.contains.encode() in body)


class Latency(Selection, frozen=True, kw_only=True, tag="latency"):
    """A delay before the vendor sees the request: ``seconds`` of the sandbox's clock, plus up to ``jitter_s``."""

    seconds: Seconds
    jitter_s: Seconds = 0.0


class _Answer(Selection, frozen=True, kw_only=True):
    """An answer that is not the vendor's, such as a proxy's page. ``location`` is where a redirect points."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    retry_after_s: Seconds | None = None
    body: str = ""
    content_type: str = "text/plain"
    location: str | None = None


class Status(_Answer, frozen=True, kw_only=True, tag="status"):
    """An answer with this status, without asking the vendor; nothing is applied."""


class StatusAfter(_Answer, frozen=True, kw_only=True, tag="status_after"):
    """An answer with this status in place of the vendor's, after the request was applied."""


class DropBefore(Selection, frozen=True, kw_only=True, tag="drop_before"):
    """A connection closed without an answer, before the vendor sees the request; nothing is applied."""


class DropAfter(Selection, frozen=True, kw_only=True, tag="drop_after"):
    """A connection closed without an answer, after the request was applied."""


class Stall(Selection, frozen=True, kw_only=True, tag="stall"):
    """An answer delayed by ``seconds`` of the sandbox's clock, after the request was applied."""

    seconds: Seconds


class Truncate(Selection, frozen=True, kw_only=True, tag="truncate"):
    """A 200 whose body is cut in half, after the request was applied.

    ``length``: under the full Content-Length. ``chunked``: a chunked stream that never ends. ``complete``: a
    well-formed response with half of the body. The fault waits for a 200 with a body; other answers pass.
    ``seconds`` of the sandbox's clock pass before the connection closes, without a byte.
    """

    framing: Literal["length", "chunked", "complete"] = "length"
    seconds: Seconds = 0.0


class Garbage(Selection, frozen=True, kw_only=True, tag="garbage"):
    """Bytes that are no HTTP in place of the answer, after the request was applied; then the connection closes."""


class Endless(Selection, frozen=True, kw_only=True, tag="endless"):
    """An answer whose chunked body never ends, after the request was applied: blanks until the client hangs up."""


class Bomb(Selection, frozen=True, kw_only=True, tag="bomb"):
    """An answer packed by gzip, asked for or not, after the request was applied: a KiB for each MiB of blanks."""

    unpacked_mib: Count = 3072


class Cookies(Selection, frozen=True, kw_only=True, tag="cookies"):
    """The vendor's answer with ``count`` cookies of ``value_bytes`` each, under new names in each answer."""

    count: Count = 1
    value_bytes: Annotated[int, msgspec.Meta(ge=0, le=4000)] = 1000


class Date(Selection, frozen=True, kw_only=True, tag="date"):
    """The vendor's answer with a ``Date`` that is ``ahead_s`` off the sandbox's clock (null: without one)."""

    ahead_s: float | None = None


class MissingResults(Selection, frozen=True, kw_only=True, tag="missing_results"):
    """A bulk answer without ``count`` of its results, evenly spread; the entries are applied."""

    count: Count = 1


class ShuffleResults(Selection, frozen=True, kw_only=True, tag="shuffle_results"):
    """A bulk answer whose results are in random order."""


class OmitIdentifiers(Selection, frozen=True, kw_only=True, tag="omit_identifiers"):
    """A bulk answer whose results lack the entries' own identifiers."""


class ExpireTokens(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="expire_tokens", tag_field="kind"
):
    """Expiry of every token issued so far. It acts at once and leaves nothing to clear."""


class Outage(Selection, frozen=True, kw_only=True, tag="outage"):
    """An outage of ``seconds`` of the sandbox's clock: a request is dropped, or answered with ``status`` if given."""

    seconds: Seconds
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    times: Count | None = None


def _begins(path: str, prefix: str) -> bool:
    wanted = prefix.split("/")
    found = path.split("/")[: len(wanted)]
    passed = [other if one == "*" else one for one, other in zip(wanted, found, strict=False)]
    return len(found) == len(wanted) and "/".join(found).startswith("/".join(passed))


Standing = (
    Latency
    | Status
    | StatusAfter
    | DropBefore
    | DropAfter
    | Stall
    | Truncate
    | Garbage
    | Endless
    | Bomb
    | Cookies
    | Date
    | MissingResults
    | ShuffleResults
    | OmitIdentifiers
    | Outage
)
Fault = Standing | ExpireTokens
