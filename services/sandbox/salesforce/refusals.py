"""What is refused as a whole.

BatchRefused      a batch that cannot be gone through: 1.0 `stateMessage`, 2.0 `errorMessage`
└─ QueryRefused   SOQL that is not understood or not allowed
"""


class BatchRefused(Exception):
    """`code` is a Bulk API 1.0 exceptionCode; Bulk API 2.0 writes it in upper case. salesforce_bulk.md §3.10, §4.3"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def state_message(self) -> str:
        """`InvalidBatch : Field name not found : Foo`. §3.10 [client issue reports]"""
        return f"{self.code} : {self.message}"


class QueryRefused(BatchRefused):
    """`InvalidBatch : Failed to process query: ...`. §3.8 [client issue reports]

    `query_code` is what the REST query call names it by: `MALFORMED_QUERY`, `INVALID_FIELD`, `INVALID_TYPE`, ...
    """

    def __init__(self, query_code: str, detail: str) -> None:
        self.query_code = query_code
        self.detail = detail
        self.reason = f"{query_code}: {detail}"
        super().__init__("InvalidBatch", f"Failed to process query: {self.reason}")
