"""Proof that a write was not applied, from what BlueConic shows of the record afterwards.

========================================================  =============================================================
BlueConic's own answer to the read                        proves that nothing was applied, because
========================================================  =============================================================
404, or a search that finds no profile                    the write would have made the record
the record, last modified before the write was sent       a write moves the modification forward
anything else                                             nothing: a later modification does not say who made it, and an
                                                          increment leaves no trace of itself
========================================================  =============================================================

All instants are BlueConic's own: the last modification, the ``Date`` of an answer from before the write was sent, and
the ``Date`` of the read. Where they contradict each other, nothing is proven.
"""

from datetime import datetime, timedelta
from urllib.parse import quote

import httpx
import msgspec

from sluice.destinations.blueconic.groups import GROUPS
from sluice.destinations.blueconic.rules import text_properties
from sluice.destinations.http import answered_at
from sluice.flow.batch import Item

DATE_GRAIN = timedelta(seconds=1)
"""A ``Date`` is cut to the second. RFC 9110 §5.6.7"""
CLOCKS_APART = timedelta(seconds=1)
"""Largest difference between the clocks of BlueConic's own machines, of which one names the ``Date``. [assumed]"""


class _Read(msgspec.Struct, rename="camel"):
    """A group or a profile, or the profiles that a search has found. §8 [spec]"""

    id: str | None = None
    last_modified_date: datetime | None = None
    profiles: list[dict[str, str]] | None = None


_decode = msgspec.json.Decoder(_Read).decode


def read_path(item: Item) -> str | None:
    """Return the path to read the record at, or ``None`` if no single read shows it."""
    event = item.event
    if item.encoded.batch_key == GROUPS:
        return f"groups/{quote(event.object.partition('/')[2], safe='')}/{quote(str(event.key), safe='')}"
    if isinstance(event.key, str):
        return f"profiles/{quote(event.key, safe='')}"
    if not isinstance(event.key, dict) or len(event.key) != 1:
        return None
    # A search names no domain group, so it may not look in the one that the entry names. §8 [spec]
    if b'"domainGroup":' in item.encoded.body:
        return None
    ((name, value),) = event.key.items()
    # A write that changes the property it is found by makes it unfindable: absence would prove nothing.
    if name in text_properties(event.data):
        return None
    return f"profiles?property={quote(name, safe='')}&value={quote(value, safe='')}"


def is_untouched(item: Item, response: httpx.Response, vendor_at: datetime | None, waited_s: float) -> bool:
    """Return whether ``response``, BlueConic's own, proves that the write of ``item`` was not applied.

    BlueConic's clock showed ``vendor_at`` before the write was sent, at least ``waited_s`` before this read was.
    """
    read_at = answered_at(response)
    if vendor_at is not None and read_at is not None:
        passed_at_least = timedelta(seconds=waited_s) - DATE_GRAIN
        # One of the two is wrong, or the answer is an old one from a cache.
        if read_at - vendor_at < passed_at_least:
            return False
    if response.status_code == 404:
        return True
    try:
        read = _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    key = item.event.key
    if not isinstance(key, str):
        return read.profiles == []
    if read.id != key or read.last_modified_date is None or read.last_modified_date.tzinfo is None:
        return False
    return vendor_at is not None and read.last_modified_date < vendor_at - CLOCKS_APART
