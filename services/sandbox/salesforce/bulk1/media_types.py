"""Media types of requests and answers, and the markup of an answer. salesforce_bulk.md §3.1."""

import re
from typing import Literal, get_args

from sandbox.salesforce.bulk1.refusal import Refusal

ContentType = Literal["XML", "CSV", "JSON", "ZIP_XML", "ZIP_CSV", "ZIP_JSON"]
"""Format of a job's batches. §3.3 [docs]"""
Markup = Literal["xml", "json"]
"""Format of control answers."""

CONTENT_TYPES: tuple[ContentType, ...] = get_args(ContentType)
DATA_TYPES: dict[str, str] = {
    "XML": "application/xml",
    "CSV": "text/csv",
    "JSON": "application/json",
    "ZIP_XML": "zip/xml",
    "ZIP_CSV": "zip/csv",
    "ZIP_JSON": "zip/json",
}
RESULT_TYPES = {name: DATA_TYPES[name.removeprefix("ZIP_")] for name in CONTENT_TYPES}
MARKUP_TYPES: dict[Markup, str] = {"xml": "application/xml", "json": "application/json"}
"""Types sent exactly so, without a charset: a client compares for equality. §3.1 [client CumulusCI, salesforce-bulk]"""

# A comma for the semicolon is what sfbulk sends. §3.1 [client sfbulk]
_HEADER = re.compile(r'\s*([\w.+-]+/[\w.+-]+)\s*(?:[;,]\s*(?:charset\s*=\s*"?([\w-]+)"?\s*)?)?', re.IGNORECASE)


def media_type(header: str) -> str | None:
    """Return the type of a ``Content-Type`` in lower case; null without one. Only UTF-8 is taken [assumed]."""
    if not header.strip():
        return None
    found = _HEADER.fullmatch(header)
    if found is None or (found[2] or "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refusal("UnsupportedContentType", f"Unsupported content type: {header}")
    return found[1].lower()


def markup_of(content_type: ContentType) -> Markup:
    """Return XML for CSV and XML jobs, JSON for JSON jobs. §3.1 [docs]; attachments like their request.txt [assumed]"""
    return "json" if content_type in ("JSON", "ZIP_JSON") else "xml"


def requested_markup(header: str) -> Markup:
    """Return the markup of the request, for an answer where the job is not known; XML by default. §3.1 [docs]"""
    found = _HEADER.match(header)
    return "json" if found is not None and found[1].lower() == "application/json" else "xml"
