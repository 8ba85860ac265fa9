"""The org's daily budgets, by its own count: everybody who uses the org spends them. §7, §9"""

import re
from math import inf

import httpx
import msgspec

from sluice.destinations.vendor_jobs import Quota

API_REQUESTS = "DailyApiRequests"
BATCHES = "DailyBulkApiBatches"
READ_EVERY_S = 300.0
"""Age at which the budgets are read again: each reading costs a call of one of them. [assumed]"""


class Quotas:
    """The budgets as the org told them last."""

    def __init__(self) -> None:
        self.known: dict[str, Quota] = {}
        self._due_at_s = -inf

    def is_due(self, now_s: float) -> bool:
        """Return whether to read them again."""
        return now_s >= self._due_at_s

    def ask(self, now_s: float) -> None:
        """Note that they are being read, with whatever success: a failure is no reason to ask more often."""
        self._due_at_s = now_s + READ_EVERY_S

    def doubt(self) -> None:
        """Have them read again soon: the vendor has refused a request for one of them."""
        self._due_at_s = -inf

    def read(self, response: httpx.Response) -> None:
        """Take them from the answer of the call ``limits``. §9 [docs]"""
        try:
            limits = _decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        for name in (API_REQUESTS, BATCHES):
            if (limit := limits.get(name)) is not None and limit.Max is not None and limit.Remaining is not None:
                self.known[name] = Quota(limit.Remaining, limit.Max)

    def note(self, response: httpx.Response) -> None:
        """Take the calls from the head of any answer, which costs nothing. §3.1 [docs]"""
        usage = re.search(r"api-usage=([0-9]{1,15})/([0-9]{1,15})", response.headers.get("sforce-limit-info", ""))
        if usage is not None:
            used, allowed = int(usage[1]), int(usage[2])
            self.known[API_REQUESTS] = Quota(max(allowed - used, 0), allowed)


class _Limit(msgspec.Struct):
    """A budget. Some have parts by their app beside these. §9 [docs]"""

    Max: int | None = None
    Remaining: int | None = None


_decode = msgspec.json.Decoder(dict[str, _Limit]).decode
