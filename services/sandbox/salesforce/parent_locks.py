"""Locks on parents that batches under way hold: the fault ``lock_parents``. salesforce_bulk.md §13.18 [docs].

A row locks the parents that it names, and those its record has. Of two batches in progress at one time that touch one
parent, the one that ends first gets it; the rows of the other are ``UNABLE_TO_LOCK_ROW``.
"""

from collections.abc import Iterable

from sandbox.salesforce.values import Value, refused

_KEPT_S = 86_400.0


class ParentLocks:
    """Parents by the span of the batch that touched them."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float, set[Value]]] = []

    def batch(self, since: float, until: float) -> "BatchLocks":
        """Return the locks of a batch that was in progress in that span, beside the others' that were so too."""
        self._spans = [span for span in self._spans if span[1] > until - _KEPT_S]
        of_others = [parents for began, ended, parents in self._spans if began < until and since < ended]
        own: set[Value] = set()
        self._spans.append((since, until, own))
        return BatchLocks(set().union(*of_others), own)


class BatchLocks:
    """Locks as one batch takes them."""

    def __init__(self, of_others: set[Value], own: set[Value]) -> None:
        self._of_others = of_others
        self._own = own

    def take(self, parents: Iterable[Value]) -> None:
        """Raise ``RowRefused`` for a parent that another batch holds."""
        wanted = {parent for parent in parents if parent is not None}
        for parent in wanted & self._of_others:
            message = f"unable to obtain exclusive access to this record or 1 records: {parent}"
            raise refused("UNABLE_TO_LOCK_ROW", message)
        self._own |= wanted
