"""Request-level errors: the ``exceptionCode``s of salesforce_bulk.md §3.11, each with its HTTP status.

``NOT_FOUND`` is the answer about a job that is kept no longer. §13.17 [assumed]
"""

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
    "NOT_FOUND",
    "Timeout",
    "TooManyLockFailure",
    "Unknown",
    "UnsupportedContentType",
]

_STATUSES: dict[ExceptionCode, int] = {"InternalServerError": 500, "Unknown": 500, "Gone": 410, "NOT_FOUND": 404}


class Refusal(Exception):
    """Refused call. Every code but four is a 400. §3.11 [docs], [assumed]"""

    def __init__(self, code: ExceptionCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        return _STATUSES.get(self.code, 400)
