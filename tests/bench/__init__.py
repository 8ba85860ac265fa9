"""``make bench``: what the writer costs, beside a bare loop that does the same work without its promises."""
