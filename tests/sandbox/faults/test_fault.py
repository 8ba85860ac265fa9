"""Choice of the requests that a fault meets."""

import pytest

from sandbox.faults.fault import DropAfter

PATH = "/api/v1/L10/3001/attendees/456"


@pytest.mark.parametrize(
    ("path", "meets"),
    [
        pytest.param(None, True, id="any"),
        pytest.param("", True, id="empty is any"),
        pytest.param("/api/v1/l10/3001/attendees", True, id="a prefix in any case"),
        pytest.param("/api/v1/L10/30", True, id="a prefix of a segment"),
        pytest.param("/api/v1/L10/*/attendees/456", True, id="any segment"),
        pytest.param("/api/*/L10/*/att", True, id="two of them"),
        pytest.param("/api/v1/L10/*", True, id="a last one"),
        pytest.param("/api/v1/L10/*/issues", False, id="another segment after it"),
        pytest.param("/api/v1/*/attendees", False, id="it is one segment only"),
        pytest.param(f"{PATH}/", False, id="longer than the path"),
    ],
)
def test_a_path_is_a_prefix_with_any_segments(path: str | None, meets: bool) -> None:
    assert DropAfter(path=path).meets("POST", PATH) == meets


@pytest.mark.parametrize(
    ("contains", "body", "meets"),
    [
        pytest.param(None, b"", True, id="any"),
        pytest.param("budget", b'{"title":"budget 7"}', True, id="a part"),
        pytest.param("Budget", b'{"title":"budget 7"}', False, id="as sent"),
        pytest.param("ü", '{"title":"ü"}'.encode(), True, id="in UTF-8"),
        pytest.param("budget", b"", False, id="no body"),
    ],
)
def test_a_part_of_the_body_may_choose(contains: str | None, body: bytes, meets: bool) -> None:
    assert DropAfter(contains=contains).meets("POST", PATH, body) == meets
