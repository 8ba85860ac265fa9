"""Choices that nobody documents, in one place. liquid_decisions.md §12 [assumed] unless marked otherwise."""

BASE = "/ls/api"
"""§1 [docs]"""
MAX_UPSERT_ITEMS = 500
MAX_UPSERT_BYTES = 4 * 2**20
MAX_IMPORT_ITEMS = 50_000
MAX_IMPORT_BYTES = 50 * 2**20
FORM_BYTES = 4096
"""Of an import request, beside its file."""
MAX_UPSERTS = 2
MAX_IMPORTS = 1
"""Requests in flight."""
MAX_READS = 2
MAX_AGE_S = 1.0
KEYS_PER_QUERY = 200
MAX_FOREIGN = 3
"""Changes by others in the feed, for each record of ours, after which keys are asked for instead. X10 [measured]"""
CLOCK_SLACK_S = 60.0
"""Longest time by which the clock of ``Date`` may be ahead of the one in the feed."""
