"""Marks in notes, by which a lost create is known again for sure. §15 [client:other] rules_bloom_liquid_reads.md D1.6

With ``marker: notes`` a new issue, todo or headline has a line with its event's id at the end of its notes. The notes
stand in a pad at another host, which shows them as plain text, without login and after a second or two.
"""

import hashlib
import ipaddress
import re
from typing import Any

import httpx

from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.contract import BatchError, OnRequest
from sluice.destinations.http import open_client, send

MARKED = frozenset({"issue", "todo", "headline"})
"""Objects with notes. §4, §5, §8"""
_MARK = re.compile(r"\[sluice ([\w.:-]{1,64})\]")


def mark_of(event_id: str) -> str:
    """Return the mark of the event: its id, or a digest of one that is long or has other characters."""
    if re.fullmatch(r"[\w.:-]{1,64}", event_id):
        return event_id
    return hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()


def with_mark(values: dict[str, Any], event_id: str) -> dict[str, Any]:
    """Return the fields of a record with the mark of its event in its notes."""
    notes = values.get("notes", "")
    line = f"[sluice {mark_of(event_id)}]"
    return {**values, "notes": f"{notes}\n\n{line}" if notes else line}


class Pads:
    """Reader of the marks in pads, which belong to another host: it never sees our token."""

    def __init__(
        self,
        settings: BloomGrowthSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        self._own_host = httpx.URL(settings.url).host
        self._client = open_client(
            settings,
            base_url=settings.host,
            max_connections=1,
            auth=httpx.Auth(),
            transport=transport,
            on_request=on_request,
        )

    async def marks(self, details_url: str | None) -> frozenset[str]:
        """Return the marks in the notes at ``details_url``; none if they cannot be read."""
        url = self._text_url(details_url or "")
        if url is None:
            return frozenset()
        try:
            response = await send(self._client, httpx.Request("GET", url, headers={"accept-encoding": "identity"}))
        except BatchError:
            return frozenset()
        return frozenset(_MARK.findall(response.text)) if response.status_code == 200 else frozenset()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _text_url(self, details_url: str) -> httpx.URL | None:
        """Return the address of the notes as text, if it may be asked: an answer must not send us to inner hosts."""
        try:
            url = httpx.URL(f"{details_url.rstrip('/')}/export/txt")
        except httpx.InvalidURL:
            return None
        is_ours = url.host == self._own_host and url.scheme in ("http", "https")
        return url if is_ours or (url.scheme == "https" and "." in url.host and not _is_address(url.host)) else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
