"""Fault injection: apply faults to a request on its way to the vendor and to the answer on its way back."""

import random
from collections.abc import Awaitable, Callable

import msgspec

from sandbox.faults.board import FaultBoard
from sandbox.faults.fault import (
    DropAfter,
    DropBefore,
    Latency,
    MissingResults,
    OmitIdentifiers,
    Outage,
    ShuffleResults,
    Stall,
    Standing,
    Status,
    Truncate,
)
from sandbox.http.messages import BulkResponse, Delivery, Handler, Request, Response, rendered

Hold = Callable[[float], Awaitable[None]]

_BEFORE: tuple[type[Standing], ...] = (Latency, Status, DropBefore, Outage)
_RESULTS: tuple[type[Standing], ...] = (MissingResults, ShuffleResults, OmitIdentifiers)
_AFTER: tuple[type[Standing], ...] = (Stall, DropAfter)
_CUTS: dict[str, Delivery] = {"length": "cut_length", "chunked": "cut_chunked", "complete": "cut_complete"}
_DROPPED = Response(status=0, delivery="dropped")


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
    for fault in faults.acting(_BEFORE, request.method, request.path):
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
    for fault in faults.acting(_RESULTS, request.method, request.path):
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
    for fault in faults.acting(kinds, request.method, request.path):
        match fault:
            case Stall(seconds=seconds):
                await hold(seconds)
            case Truncate(framing=framing):
                response = msgspec.structs.replace(response, delivery=_CUTS[framing])
            case _:
                return _DROPPED
    return response


def _status_response(fault: Status) -> Response:
    retry_after = () if fault.retry_after_s is None else (("retry-after", f"{fault.retry_after_s:g}"),)
    content_type = fault.content_type if fault.body else None
    return Response(status=fault.status, body=fault.body.encode(), content_type=content_type, headers=retry_after)
