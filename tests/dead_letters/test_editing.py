"""Edits: a field is what it was set to, a dropped one is gone, and everything else keeps its bytes."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.dead_letters.editing import EditFailed, SetField, checked, edit_fields, in_turn, map_lines, parse_set
from sluice.events import decode_record, encode_event, record_data
from tests.support.factories import record

NAMES = st.text(min_size=1, max_size=5)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5)
OBJECTS = st.recursive(
    st.dictionaries(NAMES, SCALARS, max_size=3),
    lambda inner: st.dictionaries(NAMES, SCALARS | inner, max_size=3),
    max_leaves=8,
)
EVENT = b'{"event_id":"e","object":"o","operation":"upsert","key":"k","data":%s,"occurred_at":"2025-01-22T11:21:33Z"}'


def _at(data: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        data = data[name]
    return data


def _set(data: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any] | None:
    """The same in plain Python; ``None`` where something that is no object is in the way."""
    inner = value
    if len(path) > 1:
        below = data.get(path[0], {})
        inner = _set(below, path[1:], value) if isinstance(below, dict) else None
        if inner is None:
            return None
    return {**data, path[0]: inner}


@given(OBJECTS, PATHS, SCALARS | OBJECTS)
async def test_a_field_is_what_it_was_set_to_and_the_rest_is_as_before(
    data: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    edit = edit_fields(sets=[SetField(path, msgspec.json.encode(value))])
    [edited] = await edit([encode_event(record(data=data))])
    expected = _set(data, path, value)
    if expected is None:
        assert isinstance(edited, EditFailed)
    else:
        assert isinstance(edited, bytes)
        assert record_data(decode_record(edited)) == expected
        assert checked(edited) == edited


@given(OBJECTS, NAMES)
async def test_a_dropped_field_is_gone_and_no_other(data: dict[str, Any], name: str) -> None:
    [edited] = await edit_fields(drops=[(name,)])([encode_event(record(data=data))])
    assert isinstance(edited, bytes)
    assert record_data(decode_record(edited)) == {other: value for other, value in data.items() if other != name}


@given(PATHS, SCALARS | OBJECTS)
def test_a_path_and_a_json_value_are_read_as_written(path: tuple[str, ...], value: Any) -> None:
    names = ".".join(name.replace(".", "\\.") for name in path)
    if "=" not in names and "\\" not in "".join(path):
        found = parse_set(f"{names}={msgspec.json.encode(value).decode()}")
        assert (found.path, msgspec.json.decode(found.value)) == (path, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a=1.10", b"1.10", id="a number as written"),
        pytest.param('a="1"', b'"1"', id="quoted text"),
        pytest.param("a=Acme Ltd", b'"Acme Ltd"', id="plain text"),
        pytest.param("a=007", b'"007"', id="no JSON number"),
        pytest.param("a=", b'""', id="nothing"),
        pytest.param('a={"b": [1]}', b'{"b": [1]}', id="an object"),
        pytest.param("a=x=y", b'"x=y"', id="another equals sign"),
        pytest.param("a=null", b"null", id="null"),
    ],
)
def test_value_is_json_or_else_text(text: str, value: bytes) -> None:
    assert parse_set(text) == SetField(("a",), value)


@pytest.mark.parametrize("text", ["a", "=1", "a..b=1", ".a=1"])
def test_set_without_a_field_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_set(text)


async def test_numbers_keep_their_digits() -> None:
    event = EVENT % b'{"share":1.10,"big":123456789012345678901234567890,"a":{"tiny":1e-400}}'
    [edited] = await edit_fields(sets=[parse_set("a.b=1")])([event])
    assert edited == EVENT % b'{"share":1.10,"big":123456789012345678901234567890,"a":{"tiny":1e-400,"b":1}}'


async def test_command_sees_one_line_an_event() -> None:
    event = EVENT % b'{"text":"a\\nb",\n  "n": 1.10}'
    [edited] = await map_lines("cat")([event])
    assert edited == EVENT % b'{"text":"a\\nb","n":1.10}'


async def test_edits_are_made_in_turn() -> None:
    edit = in_turn([edit_fields(sets=[parse_set("name=Acme")]), map_lines("sed 's/Acme/&x/; /skip/d; s/one/two/'")])
    [edited, broken] = await edit([EVENT % b"{}", b"no json"])
    assert edited == EVENT % b'{"name":"Acmex"}'
    assert isinstance(broken, EditFailed)
