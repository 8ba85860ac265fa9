"""Reasons of dead letters: alike failures counted together, most frequent first.

Vendors put ids, names and numbers into their messages. Folded, ``field "nmae" of record c-17 is unknown`` and
``field "adress" of record c-18 is unknown`` are one reason.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from aiokafka import ConsumerRecord

from sluice.dead_letters.selection import names_of
from sluice.events import Header

MAX_REASONS = 10_000
"""Past it, messages that were not seen before are counted together, by class and code."""
NO_RECORD_EVENT = "(no record event)"
OTHER_MESSAGES = "(other messages)"

_QUOTED = re.compile(r"(?<!\w)([\"'`])[^\"'`]*\1(?!\w)")
_WITH_DIGIT = re.compile(r"(?<![\w@+/.\-])[\w@+/.\-]*?\d(?:[\w@+/.\-]*\w)?")


def fold(message: str) -> str:
    """Replace what is quoted in ``message`` by ``…``, and each word with a digit, an id or a number, by ``#``."""
    return _WITH_DIGIT.sub("#", _QUOTED.sub(r"\1…\1", message))


class Reason(NamedTuple):
    """The class, code and folded message that failures have in common."""

    error_class: str
    code: str
    message: str


class Group(NamedTuple):
    """A reason, how many letters have it, and where one of them stands."""

    reason: Reason
    letters: int
    partition: int
    offset: int


class Tally:
    """Letters counted by reason and by object."""

    def __init__(self) -> None:
        self.letters = 0
        self._reasons: Counter[Reason] = Counter()
        self._examples: dict[Reason, tuple[int, int]] = {}
        self._objects: Counter[str] = Counter()

    @property
    def groups(self) -> list[Group]:
        """The reasons, most frequent first."""
        return [Group(reason, count, *self._examples[reason]) for reason, count in self._reasons.most_common()]

    @property
    def objects(self) -> list[tuple[str, int]]:
        """The objects and their letters, most frequent first."""
        return self._objects.most_common()

    def add(self, letters: Sequence[ConsumerRecord]) -> None:
        """Count ``letters``."""
        reasons, objects, examples = self._reasons, self._objects, self._examples
        self.letters += len(letters)
        for letter in letters:
            headers = dict(letter.headers)
            message = headers.get(Header.ERROR_MESSAGE) or b""
            error_class, code = headers.get(Header.ERROR_CLASS), headers.get(Header.ERROR_CODE)
            reason = _reason(error_class, code, message.translate(_ONE_DIGIT))
            if reason not in reasons:
                if len(reasons) >= MAX_REASONS:
                    reason = Reason(reason.error_class, reason.code, OTHER_MESSAGES)
                examples.setdefault(reason, (letter.partition, letter.offset))
            reasons[reason] += 1
            names = names_of(letter.value)
            objects[names.object if names else NO_RECORD_EVENT] += 1


_ONE_DIGIT = bytes.maketrans(b"123456789", b"000000000")
"""Folding takes 5 µs. It ends the same for messages that differ in digits, so that most need not be folded at all."""


@lru_cache(maxsize=4096)
def _reason(error_class: bytes | None, code: bytes | None, message: bytes) -> Reason:
    return Reason(_text(error_class), _text(code), fold(_text(message)))


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
