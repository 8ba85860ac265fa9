"""Titles as the server may have stored them: trimmed, blanks collapsed, escaped, cut. §15 [assumed]

Case is kept: no server changes it, and two titles that differ in case are two records.
"""

import html
import unicodedata

from sluice.destinations.bloom_growth.assumptions import MIN_CUT_CHARS

_MAX_UNESCAPES = 3


def fold(title: str) -> str:
    """Return ``title`` in the form that all stored forms of it share."""
    for _ in range(_MAX_UNESCAPES if "&" in title else 0):
        title = html.unescape(title)
    return " ".join(unicodedata.normalize("NFC", title).split())


def may_be_cut(stored: str, sent: str) -> bool:
    """Return whether ``stored`` may be what a server has left of ``sent``; both are folded."""
    kept = stored.removesuffix("…").removesuffix("...").rstrip()
    return MIN_CUT_CHARS <= len(kept) < len(sent) and sent.startswith(kept)
