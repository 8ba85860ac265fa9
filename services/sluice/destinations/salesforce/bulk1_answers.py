"""Jobs and batches of Bulk API 1.0, as its answers tell them: in XML, or JSON for JSON jobs. §3.1"""

from datetime import datetime
from typing import Annotated, Any, TypeVar

import httpx
import msgspec
from msgspec import Meta

from sluice.destinations.salesforce.xml_answers import Element, parse_xml

Id = Annotated[str, Meta(pattern="^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$")]
"""An id, which becomes a part of paths. §1 [docs]"""
_Info = TypeVar("_Info")


class JobInfo(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A job. §3.3"""

    id: Id
    state: str
    operation: str = ""
    external_id_field_name: str | None = None
    number_batches_queued: int = 0
    number_batches_in_progress: int = 0
    number_records_processed: int = 0
    number_records_failed: int = 0

    @property
    def is_over(self) -> bool:
        """True when it takes no more batches, and none of them waits or runs. §3.10 [client Data Loader]"""
        return self.state != "Open" and self.number_batches_queued + self.number_batches_in_progress == 0


class BatchInfo(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A batch. Failed records are processed ones, too. §3.3, §3.5"""

    id: Id
    state: str
    state_message: str | None = None
    created_date: datetime | None = None
    number_records_processed: int = 0
    number_records_failed: int = 0


def read_job(response: httpx.Response) -> JobInfo:
    """Return the job in ``response``. Raises ``ValueError`` for what is none."""
    return _convert(_fields(response.content), JobInfo)


def read_batch(response: httpx.Response) -> BatchInfo:
    """Return the batch in ``response``. Raises ``ValueError`` for what is none."""
    return _convert(_fields(response.content), BatchInfo)


def read_batches(response: httpx.Response) -> list[BatchInfo]:
    """Return the batches of a job, all of them. §3.6 Raises ``ValueError`` for what is no list of batches."""
    content = response.content.lstrip()
    if content.startswith(b"<"):
        root = parse_xml(content)
        if root.name != "batchInfoList":
            raise ValueError(f"expected a list of batches, got {root.name[:50]!r}")
        found: list[Any] = [_texts(child) for child in root.children]
    else:
        answer = _decode(content)
        found = answer.get("batchInfo") or []
        if "batchInfo" not in answer or not isinstance(found, list):
            raise ValueError("expected a list of batches")
    return [_convert(fields, BatchInfo) for fields in found]


def _fields(content: bytes) -> dict[str, Any]:
    content = content.lstrip()
    return _texts(parse_xml(content)) if content.startswith(b"<") else _decode(content)


def _texts(element: Element) -> dict[str, Any]:
    """Return the texts in ``element``; an empty one is absent."""
    return {name: text for name, text in element.texts().items() if text}


def _decode(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"expected XML or JSON: {error}") from None


def _convert(fields: Any, type_: type[_Info]) -> _Info:
    # XML has texts alone, so numbers are read from them.
    try:
        return msgspec.convert(fields, type_, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
