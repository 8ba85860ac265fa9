"""Fault injection: apply faults to a request on its way to the vendor and to the answer on its way back."""

import random
from collections.abc import Awaitable, Callable
from itertools import repeat

import msgspec

from sandbox.faults.board import FaultBoard
from sandbox.faults.fault import (
    Bomb,
    Cookies,
    Date,
    DropAfter,
    DropBefore,
    Endless,
    Garbage,
    Latency,
    MissingResults,
    OmitIdentifiers,
    Outage,
    ShuffleResults,
    Stall,
    Standing,
    Status,
    StatusAfter,
    Truncate,
)
from sandbox.http.messages import BulkResponse, Delivery, Handler, Request, Response, gzip_of_blanks, rendered

Hold = Callable[[float], Awaitable[None]]

_BEFORE: tuple[type[Standing], ...] = (Latency, Status, DropBefore, Outage)
_RESULTS: tuple[type[Standing], ...] = (MissingResults, ShuffleResults, OmitIdentifiers)
_AFTER: tuple[type[Standing], ...] = (Stall, DropAfter, StatusAfter, Garbage, Endless, Bomb, Cookies, Date)
_JSON = "application/json"
_PIECE_BYTES = 65536
_CUTS: dict[str, Delivery] = {"length": "cut_length", "chunked": "cut_chunked", "complete": "cut_complete"}
_DROPPED = Response(status=0, delivery="dropped")
_GARBAGE = Response(status=0, delivery="garbage")


async def answer_with_faults(faults: FaultBoard, request: Request, answer: Handler, hold: Hold) -> Response:
    """Return the answer of ``answer``, changed by the active faults, or a fault's own answer instead."""
    early = await _before(faults, request, hold)
    if early is not None:
        return early
    answered = answer(request)
    if isinstance(answered, BulkResponse):
        answered = _with_results_changed(faults, request, answered)
    return await _after(faults, request, rendered(answered), hold)


async def _before(faults: FaultBoard, request: Request, hold: Hold) -> Response | None:
    for fault in faults.acting(_BEFORE, request.method, request.path, request.body):
        match fault:
            case Latency(seconds=seconds, jitter_s=jitter_s):
                await hold(seconds + random.uniform(0, jitter_s))
            case Status():
                return _status_response(fault)
            case Outage(status=int(status)):
                return Response(status=status)
            case _:
                return _DROPPED
    return None


def _with_results_changed(faults: FaultBoard, request: Request, answer: BulkResponse) -> BulkResponse:
    items = answer.items
    for fault in faults.acting(_RESULTS, request.method, request.path, request.body):
        items = list(items)
        match fault:
            case MissingResults(count=count):
                lost = {index * len(items) // count for index in range(count)}
                items = [item for index, item in enumerate(items) if index not in lost]
            case ShuffleResults():
                items = random.sample(items, len(items))
            case OmitIdentifiers():
                items = [answer.without_identifier(item) for item in items]
    return msgspec.structs.replace(answer, items=items)


async def _after(faults: FaultBoard, request: Request, response: Response, hold: Hold) -> Response:
    can_be_cut = response.status == 200 and bool(response.body)
    kinds = (*_AFTER, Truncate) if can_be_cut else _AFTER
    for fault in faults.acting(kinds, request.method, request.path, request.body):
        match fault:
            case Stall(seconds=seconds):
                await hold(seconds)
            case Truncate(framing=framing, seconds=seconds):
                response = msgspec.structs.replace(response, delivery=_CUTS[framing], pause_s=seconds)
            case StatusAfter():
                return _status_response(fault)
            case Garbage():
                return _GARBAGE
            case Endless() | Bomb():
                return _bloated(fault)
            case Cookies():
                response = _with_cookies(response, fault, request.number)
            case Date(ahead_s=ahead_s):
                response = msgspec.structs.replace(response, date_ahead_s=ahead_s)
            case _:
                return _DROPPED
    return response


def _status_response(fault: Status | StatusAfter) -> Response:
    headers: list[tuple[str, str]] = []
    if fault.retry_after_s is not None:
        headers.append(("retry-after", f"{fault.retry_after_s:g}"))
    if fault.location is not None:
        headers.append(("location", fault.location))
    content_type = fault.content_type if fault.body else None
    return Response(status=fault.status, body=fault.body.encode(), content_type=content_type, headers=tuple(headers))


def _bloated(fault: Endless | Bomb) -> Response:
    """Return a 200 that is JSON by its name and blanks by its body."""
    if isinstance(fault, Endless):
        return Response(status=200, body=repeat(b" " * _PIECE_BYTES), content_type=_JSON)
    body = gzip_of_blanks(fault.unpacked_mib)
    return Response(status=200, body=body, content_type=_JSON, headers=(("content-encoding", "gzip"),))


def _with_cookies(response: Response, fault: Cookies, number: int) -> Response:
    value = "x" * fault.value_bytes
    cookies = tuple(("set-cookie", f"c{number}-{index}={value}; Path=/") for index in range(fault.count))
    return msgspec.structs.replace(response, headers=(*response.headers, *cookies))
