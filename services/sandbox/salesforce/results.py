"""What became of each row: kept packed, shown as text. salesforce_bulk.md §3.7, §4.1, §5."""

import msgspec


class RowError(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why a row was not taken: a status code of §5, its message, and the fields it is about."""

    status_code: str
    message: str
    fields: tuple[str, ...] = ()

    def text(self) -> str:
        """`CODE:message:field1,field2 --`; without fields it ends `:--`. §3.7 [client Data Loader, CumulusCI]"""
        fields = ",".join(self.fields)
        return f"{self.status_code}:{self.message}:{fields}{' ' if fields else ''}--"


class RowResult(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row's outcome: the id created or touched (empty without one), and whether a record was made. §3.7"""

    id: str
    success: bool
    created: bool
    errors: tuple[RowError, ...] = ()


class RowRefused(Exception):
    """A row that is not taken; `record_id` is the record it was about, where known."""

    def __init__(self, error: RowError, record_id: str = "") -> None:
        super().__init__(error.text())
        self.error = error
        self.record_id = record_id


pack_results = msgspec.msgpack.Encoder().encode
"""list[RowResult] → bytes, about 25 bytes a row."""
unpack_results = msgspec.msgpack.Decoder(list[RowResult]).decode
