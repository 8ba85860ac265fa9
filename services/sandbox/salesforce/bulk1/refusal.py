"""Request-level errors: the ``exceptionCode``s of salesforce_bulk.md §3.11, each with its HTTP status."""

from typing import Literal

ExceptionCode = Literal[
    "ClientInputError",
    "ExceededQuota",
    "FeatureNotEnabled",
    "Gone",
    "HttpsRequired",
    "InternalServerError",
    "InvalidBatch",
    "InvalidEntity",
    "InvalidJob",
    "InvalidJobState",
    "InvalidOperation",
    "InvalidSessionId",
    "InvalidUrl",
    "InvalidUser",
    "InvalidVersion",
    "InvalidXML",
    "Timeout",
    "TooManyLockFailure",
    "Unknown",
    "UnsupportedContentType",
]

_STATUSES: dict[ExceptionCode, int] = {"InternalServerError": 500, "Unknown": 500, "Gone": 410}


class Refusal(Exception):
    """Refused call. Every code but three is a 400. §3.11 [docs], [assumed]"""

    def __init__(self, code: ExceptionCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        return _STATUSES.get(self.code, 400)
