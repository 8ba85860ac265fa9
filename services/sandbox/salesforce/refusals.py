"""Refusals of a whole batch or query.

BatchRefused      a batch that cannot be processed: 1.0 ``stateMessage``, 2.0 ``errorMessage``
└─ QueryRefused   SOQL that is not understood or not allowed
"""


class BatchRefused(Exception):
    """Refused batch. ``code`` is an ``exceptionCode`` of 1.0; 2.0 writes it in upper case. §3.10, §4.3"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def state_message(self) -> str:
        """Text such as ``InvalidBatch : Field name not found : Foo``. §3.10 [client issue reports]"""
        return f"{self.code} : {self.message}"


class QueryRefused(BatchRefused):
    """Refused query: ``InvalidBatch : Failed to process query: ...``. §3.8 [client issue reports]

    ``query_code`` is its code in the REST query call: ``MALFORMED_QUERY``, ``INVALID_FIELD``, ``INVALID_TYPE``, ...
    """

    def __init__(self, query_code: str, detail: str) -> None:
        self.query_code = query_code
        self.detail = detail
        self.reason = f"{query_code}: {detail}"
        super().__init__("InvalidBatch", f"Failed to process query: {self.reason}")
