"""Shared part of ``PUT /groups`` and ``PUT /profiles``: an array in, a result per entry out. blueconic.md §3, §6, §7.

entries ≤ 1000   200, a result per entry
entries > 1000   413, the first 1000 applied and their results; the rest untouched [spec]
anything else    400, 413 or 415, nothing applied [assumed]
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from sandbox.blueconic.errors import bad_request, field_error
from sandbox.blueconic.settings import Settings
from sandbox.http.messages import UNREADABLE, Answer, BulkResponse, Request, Response, as_json
from sandbox.ledger.ledger import Ledger

MAX_ENTRIES = 1000
"""Largest number of entries in one request. §6 [spec]"""

Entry = TypeVar("Entry", bound=msgspec.Struct)

_TOO_LARGE = Response(status=413, body=b"<h1>413 Request Entity Too Large</h1>", content_type="text/html")


def bulk_endpoint(
    entry: type[Entry],
    apply: Callable[[Request, list[Entry]], list[Any] | Response],
    settings: Settings,
    ledger: Ledger,
) -> Callable[[Request], Answer]:
    """Make the handler of a bulk call from ``apply``, which gets at most 1000 decoded entries."""
    decode = msgspec.json.Decoder(list[entry]).decode  # type: ignore[valid-type]

    def answer(request: Request) -> Answer:
        if request.header("content-encoding") not in ("", "identity"):
            return Response(status=415)
        if settings.max_body_bytes is not None and len(request.body) > settings.max_body_bytes:
            return _TOO_LARGE
        try:
            entries = decode(request.body)
        except UNREADABLE as error:
            return bad_request(field_error(error))
        ledger.count_entries(len(entries))
        status = 200 if len(entries) <= MAX_ENTRIES else 413
        results = apply(request, entries[:MAX_ENTRIES])
        if isinstance(results, Response):
            return results
        return BulkResponse(
            items=results, render=lambda items: as_json(items, status=status), without_identifier=_without_identifier
        )

    return answer


def _without_identifier(result: Any) -> Any:
    return msgspec.structs.replace(result, identifier=msgspec.UNSET)
