"""Bisection: finds what is bad in a request that was refused as a whole, with few requests.

1. Isolate: halve the smallest part that is known to be bad until one item stands alone, then try what is left over.
   That takes at most ``2·⌈log2 n⌉`` requests when one item among n is bad.
2. Sample: when that has not settled everything, try ``SAMPLES`` single items spread over the rest. They tell how much
   of the rest is bad: a renamed field makes every item bad, and to halve on would take two requests for each.
3. The rest is given back in parts, with the share of it that seems to be bad.
"""

from math import ceil, log2

SAMPLES = 8
"""Enough to tell a flood from a few bad items; ours to choose."""


class Bisection:
    """The search in one refused request of ``count`` items, of which there are at least two.

    Send the items at the positions that :meth:`next` returns, and tell :meth:`answered`, until there are none.
    """

    def __init__(self, count: int) -> None:
        self._isolating = 2 * ceil(log2(count))
        self._sampling = SAMPLES
        self._bad = [range(count)]
        """Parts in which something is bad, the smallest last."""
        self._unknown: list[range] = []
        self._tried = self._sibling = range(0)
        self._samples: list[bool] = []

    def next(self) -> range | None:
        """Return the positions to send next; ``None`` when the search is over."""
        if self.rest and self._isolating:
            self._isolating -= 1
            self._choose()
        elif self.rest and self._sampling:
            self._sampling -= 1
            self._choose_sample()
        else:
            return None
        return self._tried

    def answered(self, *, refused: bool) -> None:
        """Take note of what became of the last part; one item that was refused is found."""
        if self._sampling < SAMPLES:
            self._samples.append(refused)
        if refused and len(self._tried) > 1:
            self._bad.append(self._tried)
        if self._sibling:
            # What is bad as a whole and good in its first half is bad in its second.
            (self._unknown if refused else self._bad).append(self._sibling)

    @property
    def rest(self) -> list[range]:
        """The parts that have no fate yet."""
        return [*self._bad, *self._unknown]

    @property
    def bad_share(self) -> float:
        """The share of the rest that seems to be bad, from 0 to 1."""
        return sum(self._samples) / len(self._samples) if self._samples else 0.0

    def _choose(self) -> None:
        """Choose the first half of what is bad; without that the largest part of which nothing is known."""
        if not self._bad:
            self._tried, self._sibling = self._take_largest(), range(0)
            return
        part = self._bad.pop()
        half = max(1, len(part) // 2)
        self._tried, self._sibling = part[:half], part[half:]

    def _choose_sample(self) -> None:
        """Choose the item in the middle of the largest part."""
        part = self._take_largest()
        middle = len(part) // 2
        self._tried, self._sibling = part[middle : middle + 1], range(0)
        self._unknown += [side for side in (part[:middle], part[middle + 1 :]) if side]

    def _take_largest(self) -> range:
        parts = max((self._bad, self._unknown), key=lambda parts: max(map(len, parts), default=0))
        largest = max(parts, key=len)
        parts.remove(largest)
        return largest
