"""Encoding of answers: JSON, empty bodies, permissions, nulls set by faults. bloom_growth.md §1, §13.5."""

from collections.abc import Sequence

import msgspec

from sandbox.bloom_growth.faults import NullDetailsUrl, NullTarget
from sandbox.bloom_growth.headlines import HeadlineView
from sandbox.bloom_growth.issues import IssueView
from sandbox.bloom_growth.meetings import MeetingView
from sandbox.bloom_growth.scorecard import MeasurableView, Scores, ScoreView
from sandbox.bloom_growth.todos import TodoView
from sandbox.bloom_growth.views import EDITABLE, ObjectView
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request, Response

_EMPTY = Response(status=200)
_WITH_NOTES = (IssueView, TodoView, HeadlineView)
_WITH_TARGETS = (MeasurableView, ScoreView)
_encode = msgspec.json.Encoder().encode


def render(request: Request, body: object, faults: FaultBoard, *, shows_permission: bool) -> Response:
    """Return a 200; null is an empty body. §3 [assumed]"""
    if body is None:
        return _EMPTY
    views = _views(body)
    if shows_permission:
        _add_permissions(views)
    if len(faults):
        _set_nulls(request, views, faults)
    content_type = "text/json" if b"text/json" in request.headers.get(b"accept", b"") else "application/json"
    return Response(status=200, body=_encode(body), content_type=content_type)


def _views(body: object) -> Sequence[object]:
    if isinstance(body, Scores):
        return body.scores
    return body if isinstance(body, list) else [body]


def _add_permissions(views: Sequence[object]) -> None:
    """Set permissions, which users, names and scores do not have: "most bodies". §1 [docs:ref]"""
    for view in views:
        if isinstance(view, ObjectView | MeetingView):
            view.permission = EDITABLE


def _set_nulls(request: Request, views: Sequence[object], faults: FaultBoard) -> None:
    """Set members to null for faults. A fault waits for an answer that has its member."""
    noted = [view for view in views if isinstance(view, _WITH_NOTES)]
    if noted:
        for _ in faults.acting((NullDetailsUrl,), request.method, request.path, request.body):
            for view in noted:
                view.details_url = None
    targeted = [view for view in views if isinstance(view, _WITH_TARGETS)]
    if targeted:
        for _ in faults.acting((NullTarget,), request.method, request.path, request.body):
            for measured in targeted:
                measured.target = None
