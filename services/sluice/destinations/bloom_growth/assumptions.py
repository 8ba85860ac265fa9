"""Every number of this kind that no public document gives. Each is [assumed] for the reason beside it."""

SETTLE_S = 130.0
"""ASP.NET ends a request after 110 s and looks every 15 s, a Microsoft blog says; that Bloom Growth keeps these
defaults is assumed. §15"""
RATE_LIMITED_S = 60.0
"""Wait after a 429 without ``Retry-After``: what the vendor's public clients fall back to. §11 [client:ruby], [docs]"""
MAX_BATCH_BYTES = 4 * 2**20
"""Encoded bytes of a batch: bounds memory. No request is that large, because each carries one record."""
REFUSED_FOR_S = 900.0
"""Time in which a refused login is not tried again: failures may lock the user out."""
FRESH_FOR_S = 60.0
"""Age up to which a token that is refused was not ended by time, but by somebody else's login."""
MAX_FRESH_REFUSALS = 2
"""Fresh tokens refused, one after the other, after which nobody logs in for ``REFUSED_FOR_S``."""
TOKEN_LIFETIME_S = 1_209_599.0
"""Used where the vendor names none: its own two weeks. §2 [docs:help]"""
LOCK_POLL_S = 0.1
"""Pause between two tries at the lock of the token file, which nobody announces to be free."""
MAX_READS = 2
"""Reads in flight that find out about lost answers, besides the writes."""
MAX_NAMESAKES = 10
"""Namesakes of a meeting that are read one by one. rules_bloom_liquid_reads.md D1.9"""
MAX_LISTING_BYTES = 256 * 2**20
"""Bytes of one listing; 84 MB have been seen. rules_bloom_liquid_reads.md D1.9"""
MIN_CUT_CHARS = 50
"""Characters that a server keeps of a title at least, if it cuts titles: §10 has only an example of 255."""
MAX_CREDITED = 20_000
"""Ids of our own that are remembered, of each kind of object, to tell them from those of others."""
CLOCKS_APART_S = 2.0
"""Largest difference between two instants of the vendor's own, of which ``Date`` is cut to the second."""
MAX_CLOCKS_APART_S = 300.0
"""Beyond it an earlier instant is earlier by any two clocks of the vendor's: its web servers' and its database's may
differ, and a record that is taken for older than its own request would be made again."""
MAX_PIECE_BYTES = 2**20
"""Bytes of a listing that are decoded at once: some milliseconds of work."""
