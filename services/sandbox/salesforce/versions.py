"""API versions that are served. salesforce_bulk.md §1 [docs]: 31.0–66.0; 7.0–30.0 are retired."""

import re
from typing import Literal

OLDEST, NEWEST = 31, 66
OLDEST_EVER = 7
NEWEST_SOAP_LOGIN = 64
OLDEST_INGEST, OLDEST_QUERY, OLDEST_RESULT_PAGES = 41, 47, 58
_SPELLING = re.compile(r"(\d{1,3})\.0", re.ASCII)

VersionStatus = Literal["served", "retired", "unknown"]


def number_of(version: str) -> int:
    """Return 59 for ``59.0``; 0 for anything else, also for ``v59.0``, which only the REST paths have. §1 [docs]"""
    found = _SPELLING.fullmatch(version)
    return int(found[1]) if found else 0


def status_of(version: str) -> VersionStatus:
    number = number_of(version)
    if OLDEST <= number <= NEWEST:
        return "served"
    return "retired" if OLDEST_EVER <= number < OLDEST else "unknown"
