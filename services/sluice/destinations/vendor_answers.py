"""The vendor's own answers, told from those of whoever stands between: only the vendor's prove anything.

A load balancer without a route answers 404 for a record that is there; a proxy whose patience is over answers 503 for a
request that the vendor is about to apply. An answer counts as the vendor's own

- with ``own_answer_header`` set: if it has that header,
- else, a success: if it is JSON, or what the kind takes for its own; an error: if it has the shape of the kind's own
  errors.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from math import inf

import httpx

from sluice.destinations.http import answered_at


class VendorAnswers:
    """Judge of one vendor's answers, and what the newest of its own has told."""

    def __init__(
        self,
        own_header: str | None,
        is_own_error: Callable[[httpx.Response], bool],
        is_own_success: Callable[[httpx.Response], bool] | None = None,
    ) -> None:
        """``own_header`` is ``name`` or ``name: value``; the others judge the shape of an answer without it.

        ``is_own_success`` may look at the head alone: the body may be still to come.
        """
        self._name, _, self._value = (own_header or "").partition(":")
        self._is_own_error = is_own_error
        self._is_own_success = is_own_success or is_json
        self.vendor_at: datetime | None = None
        """The vendor's own clock. It is what the newest answer said, not the latest time of all: servers whose clocks
        disagree make it go back, and the earlier time proves less, which is safe."""
        self.heard_at_s = -inf
        """When the last of the vendor's own answers came, tokens aside, by the event loop's clock."""

    def are_own(self, response: httpx.Response) -> bool:
        """Return whether ``response`` is the vendor's own."""
        if self._name:
            value: str | None = response.headers.get(self._name)
            return value is not None and self._value.strip() in ("", value.strip())
        return self._is_own_success(response) if response.is_success else self._is_own_error(response)

    async def note(self, response: httpx.Response) -> None:
        """Learn from ``response``, as a response hook of a client."""
        if not self.are_own(response):
            return
        self.vendor_at = answered_at(response) or self.vendor_at
        # Tokens may come from another place than everything else.
        if "authorization" in response.request.headers:
            self.heard_at_s = asyncio.get_running_loop().time()


def is_json(response: httpx.Response) -> bool:
    """Return whether ``response`` calls its body JSON."""
    return _is_json_type(response.headers.get("content-type", ""))


@lru_cache(maxsize=8)  # a vendor uses a few
def _is_json_type(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
