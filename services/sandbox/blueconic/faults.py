"""Faults that only BlueConic has."""

from sandbox.faults.fault import Seconds, Selection


class ReadLag(Selection, frozen=True, kw_only=True, tag="read_lag"):
    """Reads of groups see the groups of a ``PUT /groups`` as before it, for ``seconds`` of the sandbox's clock."""

    seconds: Seconds


class DeadCursor(Selection, frozen=True, kw_only=True, tag="dead_cursor"):
    """400 for the cursor of a listing, which is known no longer; first pages pass it. §11"""
