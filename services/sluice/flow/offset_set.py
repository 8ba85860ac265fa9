"""Sets of offsets as bitmaps: a million neighbours cost 0.2 MB, however scattered they come and go.

Runs of offsets alone would be smaller where all is dense. But batches of several groups settle every second or eighth
offset, and to split and join tens of thousands of runs took 5 µs an offset, half of what a record may cost in all.
"""

from collections.abc import Iterator, Sequence

CHUNK_BITS = 11
"""Offsets of one bitmap, as a power of two: larger ones take longer to change, smaller ones need more of them."""
_LOW = (1 << CHUNK_BITS) - 1


class OffsetSet:
    """A set of offsets. What is added and removed rises; a ``range`` costs no more than one offset."""

    __slots__ = ("_chunks",)

    def __init__(self, offsets: Sequence[int] = ()) -> None:
        self._chunks: dict[int, int] = {}
        """Bitmaps that are not 0, by the offsets' upper bits."""
        self.add(offsets)

    def add(self, offsets: Sequence[int]) -> None:
        """Add ``offsets``."""
        chunks = self._chunks
        for number, bits in _bitmaps(offsets):
            chunks[number] = chunks.get(number, 0) | bits

    def remove(self, offsets: Sequence[int]) -> None:
        """Take out ``offsets``, as far as they are here."""
        chunks = self._chunks
        for number, bits in _bitmaps(offsets):
            if left := chunks.get(number, 0) & ~bits:
                chunks[number] = left
            else:
                chunks.pop(number, None)

    def __contains__(self, offset: int) -> bool:
        return bool(self._chunks.get(offset >> CHUNK_BITS, 0) >> (offset & _LOW) & 1)

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self._chunks.values())

    def __bool__(self) -> bool:
        return bool(self._chunks)

    @property
    def first(self) -> int | None:
        """The least offset."""
        if not self._chunks:
            return None
        number = min(self._chunks)
        return (number << CHUNK_BITS) + _zeros(self._chunks[number])

    def run_end(self, offset: int) -> int:
        """Return the end of the run of neighbours that ``offset`` is in; ``offset`` itself where it is in none."""
        while True:
            number = offset >> CHUNK_BITS
            ones = _zeros(~(self._chunks.get(number, 0) >> (offset & _LOW)))
            offset += ones
            if not ones or offset >> CHUNK_BITS == number:
                return offset

    def runs(self) -> Iterator[range]:
        """Yield the runs of neighbours, rising. Nothing may be added or removed meanwhile."""
        run = range(0)
        for number in sorted(self._chunks):
            for more in _runs(self._chunks[number], number << CHUNK_BITS):
                if run and run.stop == more.start:
                    run = range(run.start, more.stop)
                    continue
                if run:
                    yield run
                run = more
        if run:
            yield run

    def runs_within(self, bounds: range) -> Iterator[range]:
        """Yield the runs of neighbours within ``bounds``, rising; more may be added and removed meanwhile."""
        near = OffsetSet()
        first, last = bounds.start >> CHUNK_BITS, (bounds.stop - 1) >> CHUNK_BITS
        near._chunks = {number: bits for number, bits in self._chunks.items() if first <= number <= last}
        for run in near.runs():
            if cut := range(max(run.start, bounds.start), min(run.stop, bounds.stop)):
                yield cut

    def stretches(self, within: range) -> list[range]:
        """Return ranges, rising and as wide as a bitmap at least, that cover all offsets ``within`` these bounds."""
        found: list[range] = []
        for number in sorted(self._chunks):
            start, stop = max(number << CHUNK_BITS, within.start), min((number + 1) << CHUNK_BITS, within.stop)
            if start >= stop:
                continue
            if found and found[-1].stop == start:
                start = found.pop().start
            found.append(range(start, stop))
        return found


def _bitmaps(offsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the number of each chunk that ``offsets`` touch, with their bits there."""
    if not offsets:
        return
    start, stop = offsets[0], offsets[-1] + 1
    if stop - start == len(offsets):  # without a gap, as most come
        while start < stop:
            number = start >> CHUNK_BITS
            end = min(stop, (number + 1) << CHUNK_BITS)
            yield number, ((1 << (end - start)) - 1) << (start & _LOW)
            start = end
        return
    number, bits = start >> CHUNK_BITS, 0
    for offset in offsets:
        if offset >> CHUNK_BITS != number:
            yield number, bits
            number, bits = offset >> CHUNK_BITS, 0
        bits |= 1 << (offset & _LOW)
    yield number, bits


def _runs(bits: int, first: int) -> Iterator[range]:
    """Yield the runs of ones in ``bits``, the lowest of which stands for ``first``."""
    while bits:
        start = first + (zeros := _zeros(bits))
        bits >>= zeros
        ones = _zeros(~bits)
        bits >>= ones
        first = start + ones
        yield range(start, first)


def _zeros(bits: int) -> int:
    """Count the zeros below the lowest one."""
    return (bits & -bits).bit_length() - 1
