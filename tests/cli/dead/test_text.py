"""Dead letters as text."""

import pytest

from sluice.cli.dead.text import record_lines


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        pytest.param(None, ["null"], id="null"),
        pytest.param(b'{"n":1.10}', ["{", '  "n": 1.10', "}"], id="JSON"),
        pytest.param(b"\x00\xffbytes", ["00000000  00 ff 62 79 74 65 73" + " " * 29 + "..bytes"], id="other bytes"),
    ],
)
def test_record_is_json_or_a_hex_dump(value: bytes | None, lines: list[str]) -> None:
    assert list(record_lines(value)) == lines
