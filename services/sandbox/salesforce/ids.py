"""Ids of records, jobs and session owners: 15 characters, or 18 with a checksum of their case. salesforce_bulk.md §1.

    750 X00 00000000b      AAA
    type pod serial (62)   which of each five characters are upper case

Sent with 18 characters, accepted with either [assumed: usual platform behaviour]. As on the platform, the checksum
restores the case of an id that a tool has folded.
"""

from functools import lru_cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
JOB, BATCH, QUERY_RESULT, USER, ORG, PROFILE = "750", "751", "752", "005", "00D", "00e"
_POD = "X00"
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_VALUES = {digit: value for value, digit in enumerate(DIGITS)}
_LOW = 62**3


def make(prefix: str, serial: int) -> str:
    """Return the 18-character id of the ``serial``-th thing whose ids start with ``prefix``."""
    high, low = divmod(serial, _LOW)
    head, checksum, bits = _head(prefix, high)
    a, b, c = DIGITS[low // 3844], DIGITS[low // 62 % 62], DIGITS[low % 62]
    bits |= a.isupper() << 2 | b.isupper() << 3 | c.isupper() << 4
    return f"{head}{a}{b}{c}{checksum}{_CHECKSUM[bits]}"


def canonical(text: str) -> str | None:
    """Return the 18-character form of an id of either form; null for a text that is not an id."""
    if not (text.isascii() and text.isalnum()):
        return None
    if len(text) == 15:
        return text + "".join(_CHECKSUM[_upper_bits(text[at : at + 5])] for at in (0, 5, 10))
    return _with_case_restored(text) if len(text) == 18 else None


def serial_of(text: str, prefix: str) -> int | None:
    """Return the ``serial`` that the id was made from; null for any id that does not start with ``prefix``."""
    whole = canonical(text)
    if whole is None or not whole.startswith(prefix + _POD):
        return None
    serial = 0
    for digit in whole[6:15]:
        serial = serial * 62 + _VALUES[digit]
    return serial


@lru_cache(maxsize=1024)
def _head(prefix: str, high: int) -> tuple[str, str, int]:
    """Return the first 12 characters, their two checksum characters, and the bits they give to the third."""
    digits = ""
    for _ in range(6):
        high, digit = divmod(high, 62)
        digits = DIGITS[digit] + digits
    head = prefix + _POD + digits
    return head, "".join(_CHECKSUM[_upper_bits(head[at : at + 5])] for at in (0, 5)), _upper_bits(head[10:])


def _upper_bits(characters: str) -> int:
    return sum(character.isupper() << place for place, character in enumerate(characters))


def _with_case_restored(text: str) -> str | None:
    letters = []
    for at in (0, 5, 10):
        bits = _CHECKSUM.find(text[15 + at // 5].upper())
        for place, letter in enumerate(text[at : at + 5]):
            is_upper = bool(bits >> place & 1)
            if bits < 0 or (is_upper and not letter.isalpha()):
                return None
            letters.append(letter.upper() if is_upper else letter.lower())
    return "".join(letters) + text[15:].upper()
