"""Results of rows: kept packed, shown as text. salesforce_bulk.md §3.7, §4.1, §5."""

import msgspec


class RowError(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Reason for refusing a row: a status code of §5, its message, and the fields it is about."""

    status_code: str
    message: str
    fields: tuple[str, ...] = ()

    def text(self) -> str:
        """Return ``CODE:message:field1,field2 --``, or ``CODE:message:--``. §3.7 [client Data Loader, CumulusCI]"""
        fields = ",".join(self.fields)
        return f"{self.status_code}:{self.message}:{fields}{' ' if fields else ''}--"


class RowResult(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Result of one row: the id created or changed (empty without one), and whether a record was made. §3.7"""

    id: str
    success: bool
    created: bool
    errors: tuple[RowError, ...] = ()


class RowRefused(Exception):
    """Refused row; ``record_id`` is the record that it names, where known."""

    def __init__(self, error: RowError, record_id: str = "") -> None:
        super().__init__(error.text())
        self.error = error
        self.record_id = record_id


pack_results = msgspec.msgpack.Encoder().encode
"""Encode a ``list[RowResult]``, about 25 bytes a row."""
unpack_results = msgspec.msgpack.Decoder(list[RowResult]).decode
