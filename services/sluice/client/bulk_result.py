"""The outcomes of records that were written in bulk."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from sluice.client.receipts import DeadLetter, Receipt
from sluice.events import Key


class BulkInput(NamedTuple):
    """The arguments of one ``write``."""

    key: Key
    data: Mapping[str, Any]


class BulkItem(msgspec.Struct, frozen=True, kw_only=True):
    """One written record and its outcome."""

    index: int
    """Position among all that were written, from 0: what ``write`` returned."""
    input: BulkInput
    outcome: str
    """``delivered`` or ``skipped``, else a failure: ``rejected``, ``ambiguous`` (it may have been applied) or
    ``retryable`` (it was tried too often)."""
    code: str
    """The vendor's own word, for example ``CREATED``."""
    message: str = ""
    record_id: str | None = None
    """The vendor's id of the record, where it named one."""
    warning: str | None = None
    batch_id: str = ""

    @property
    def succeeded(self) -> bool:
        """True when the vendor has taken the record, or had no need to."""
        return self.outcome in ("delivered", "skipped")


class BulkResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcomes of everything written so far, in the order in which it was written."""

    job_id: str
    successful: list[BulkItem]
    failed: list[BulkItem]
    counts: dict[str, int]
    """Number of items by ``code``, the most frequent first."""
    open: int
    """Records without a receipt yet."""


class BulkBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one batch that the vendor has answered, for a callback. A batch may come in several parts."""

    batch_id: str
    items: list[BulkItem]
    counts: dict[str, int]
    """Number of items by ``code``, the most frequent first."""


def settled_item(index: int, written: BulkInput, receipt: Receipt) -> BulkItem:
    """Return the item of the record that was written as number ``index``, from its ``receipt``."""
    if isinstance(receipt, DeadLetter):
        return BulkItem(
            index=index,
            input=written,
            outcome=receipt.error_class,
            code=receipt.code,
            message=receipt.message,
            batch_id=receipt.batch_id or "",
        )
    event = receipt.event
    return BulkItem(
        index=index,
        input=written,
        outcome=event.outcome,
        code=event.status,
        record_id=event.record_id,
        warning=event.warning,
        batch_id=event.batch_id,
    )


def counts_by_code(items: Iterable[BulkItem]) -> dict[str, int]:
    """Count items by code, the most frequent first."""
    return dict(Counter(item.code for item in items).most_common())
