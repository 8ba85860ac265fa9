"""Files of exports behind their links, which expire a week after completion. liquid_decisions.md §10 [docs]."""

import uuid
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.http.messages import Request, Response
from sandbox.liquid_decisions.job import JobFailed
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import Settings

FILES = "/ls/exports"
"""Path of export links. §10: no path is documented [assumed]"""


class Content(NamedTuple):
    """One file of an export."""

    content_type: str
    body: bytes


class _Kept(NamedTuple):
    content_type: str
    packed: bytes
    expires_at: float


class ExportFiles:
    """Store of files, compressed, until their links expire; names of expired links stay known, for their 410."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._expired: dict[str, None] = {}
        self.held_bytes = 0

    def keep(self, files: list[Content], at: float) -> list[str]:
        """Keep the files of an export that ended at ``at`` (seconds since 1970), and return the path of each."""
        self.drop_expired()
        packed = [(one.content_type, zlib.compress(one.body, level=1)) for one in files]
        held = self.held_bytes + sum(len(body) for _, body in packed)
        if held > self._settings.max_export_bytes:
            raise JobFailed(f"no room: the sandbox keeps {self._settings.max_export_bytes} bytes of exports")
        self.held_bytes = held
        expires_at = at + self._settings.link_lifetime_s
        names = [f"{uuid.uuid4()}.{_ENDINGS[content_type]}" for content_type, _ in packed]
        for name, (content_type, body) in zip(names, packed, strict=True):
            self._kept[name] = _Kept(content_type, body, expires_at)
        return [f"{FILES}/{name}" for name in names]

    def download(self, request: Request) -> Response:
        """Answer a plain GET without a token; 410 for an expired link. §10 [assumed]"""
        self.drop_expired()
        name = request.params["file"]
        if name in self._expired:
            raise Refusal("the link has expired", error="gone", status=410)
        if name not in self._kept:
            raise Refusal("no such file", error="not_found", status=404)
        kept = self._kept[name]
        return Response(status=200, body=zlib.decompress(kept.packed), content_type=kept.content_type)

    def drop_expired(self) -> None:
        for name in list(self._names_of_expired()):
            self.held_bytes -= len(self._kept.pop(name).packed)
            self._expired[name] = None

    def _names_of_expired(self) -> Iterator[str]:
        """Yield the names from the oldest on; all files live equally long."""
        now = self._clock.now()
        for name, kept in self._kept.items():
            if kept.expires_at > now:
                return
            yield name


JSON_TYPE = "application/json"
CSV_TYPE = "text/csv; charset=utf-8"
_ENDINGS = {JSON_TYPE: "json", CSV_TYPE: "csv"}
