"""Finding the handler of a request: ``Route``, ``Pool``, ``Router``.

A path template's ``{name}`` takes one segment, split before percent-decoding, so that ``a%2Fb`` is one segment.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote

from sandbox.http.messages import Handler, Response
from sandbox.ledger.ledger import Ledger

ANY_METHOD = "*"
"""Method of a route that answers the methods without a route of their own."""


class Pool:
    """Requests that share one limit on how many may be in progress. Past the limit a request gets ``refusal``."""

    def __init__(self, name: str, *, max_concurrent: int | None = None, refusal: Response | None = None) -> None:
        self.name = name
        self.refusal = refusal or Response(status=503)
        self._max_concurrent = max_concurrent
        self._arrived = 0
        self._admitted = 0

    @contextmanager
    def enter(self, ledger: Ledger) -> Iterator[bool]:
        """Yield whether there is room, and hold the place until the request has been answered."""
        admitted = self._max_concurrent is None or self._admitted < self._max_concurrent
        self._arrived += 1
        self._admitted += admitted
        ledger.count_in_flight(self.name, self._arrived)
        try:
            yield admitted
        finally:
            self._arrived -= 1
            self._admitted -= admitted


class Route(NamedTuple):
    """One method of one path. The handler runs without interruption, which makes a request atomic."""

    method: str
    path: str
    answer: Handler
    pool: Pool | None = None

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


class Match(NamedTuple):
    """Result of a lookup. Without a route, ``allowed`` names the methods that the path does have."""

    route: Route | None
    params: dict[str, str]
    allowed: tuple[str, ...]


class Router:
    """Finder of a request's route; the first match wins. A last ``{name...}`` takes the rest of the path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._templates: dict[tuple[str, ...], dict[str, Route]] = {}
        for route in routes:
            self._templates.setdefault(tuple(route.path.split("/")), {})[route.method] = route

    def find(self, method: str, raw_path: str) -> Match:
        segments = raw_path.split("/")
        for template, methods in self._templates.items():
            params = _bind(template, segments)
            if params is not None:
                return Match(methods.get(method) or methods.get(ANY_METHOD), params, tuple(methods))
        return Match(None, {}, ())


def _bind(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    if template[-1].endswith("...}") and len(segments) >= len(template):
        last = len(template) - 1
        segments = [*segments[:last], "/".join(segments[last:])]
    if len(template) != len(segments):
        return None
    params = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            if not segment:
                return None
            params[expected[1:-1].removesuffix("...")] = unquote(segment, errors="replace")
        elif expected != segment:
            return None
    return params
