"""Edits of encoded record events: set and drop fields of their data, or map whole events by a command.

What an edit does not touch keeps its bytes: no number is rounded, no name is reordered.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from sluice.records import InvalidRecord, read_record


class EditFailed(Exception):
    """An event that cannot be edited; the others can."""


class MapFailed(Exception):
    """A command that did not do what it must; nothing of what it wrote can be used."""


Edited = bytes | EditFailed | None
"""An event after its edit; ``None`` is one to leave alone."""
Edit = Callable[[Sequence[bytes]], Awaitable[list[Edited]]]
"""Edits several events; one result for each, in their order. Raises :class:`MapFailed`."""

Path = tuple[str, ...]
"""Names of nested fields of ``data``, outermost first."""


class SetField(NamedTuple):
    """A field and its new value, as JSON."""

    path: Path
    value: bytes


def parse_path(text: str) -> Path:
    r"""Read ``address.city`` as a path; ``\.`` is a dot in a name. Raises ``ValueError``."""
    path = tuple(name.replace("\\.", ".") for name in re.split(r"(?<!\\)\.", text))
    if not all(path):
        raise ValueError(f"expected names of fields with dots between them, got {text!r}")
    return path


def parse_set(text: str) -> SetField:
    """Read ``field=value``: the value is JSON, and text where it is no JSON. Raises ``ValueError``."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"expected field=value, got {text!r}")
    try:
        encoded = bytes(msgspec.json.decode(value, type=Raw)).strip()
        msgspec.json.decode(encoded)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        encoded = msgspec.json.encode(value)
    return SetField(parse_path(name), encoded)


def edit_fields(*, sets: Sequence[SetField] = (), drops: Sequence[Path] = ()) -> Edit:
    """Make an edit of ``data``: first ``drops``, then ``sets``. A field to drop need not be there."""

    async def edit(events: Sequence[bytes]) -> list[Edited]:
        return [_edit_event(event, sets, drops) for event in events]

    return edit


def map_lines(command: str) -> Edit:
    """Make an edit by a shell command, which is started anew for each call of the edit.

    It reads one event a line from standard input and writes as many lines, in the same order: the event as it shall
    be, or ``null`` or nothing to leave that one alone.
    """

    async def edit(events: Sequence[bytes]) -> list[Edited]:
        lines = [_line(event) for event in events]
        given = [line for line in lines if isinstance(line, bytes)]
        mapped = iter(await _run(command, given) if given else [])
        return [line if isinstance(line, EditFailed) else _mapped(next(mapped)) for line in lines]

    return edit


def in_turn(edits: Sequence[Edit]) -> Edit:
    """Make one edit of all ``edits``; each is given what the one before has left."""

    async def edit(events: Sequence[bytes]) -> list[Edited]:
        results: list[Edited] = list(events)
        for one in edits:
            left = [result for result in results if isinstance(result, bytes)]
            edited = iter(await one(left))
            results = [next(edited) if isinstance(result, bytes) else result for result in results]
        return results

    return edit


def checked(edited: Edited) -> Edited:
    """Return ``edited`` if it is a record event that may be published, else why it is none."""
    if not isinstance(edited, bytes):
        return edited
    try:
        read_record(edited)
    except InvalidRecord as error:
        return EditFailed(str(error))
    return edited


def _edit_event(event: bytes, sets: Sequence[SetField], drops: Sequence[Path]) -> Edited:
    try:
        members = _decode_members(event)
        data = members.get("data", Raw(b"{}"))
        for path in drops:
            data = _without(data, path)
        for path, value in sets:
            data = _with(data, path, Raw(value))
    except EditFailed as failure:
        return failure
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return EditFailed(f"expected a RecordEvent as JSON: {error}")
    return _encode(members | {"data": data})


def _without(object_: Raw, path: Path) -> Raw:
    members = _members(object_, path)
    if path[0] not in members:
        return object_
    if len(path) == 1:
        del members[path[0]]
    else:
        members[path[0]] = _without(members[path[0]], path[1:])
    return Raw(_encode(members))


def _with(object_: Raw, path: Path, value: Raw) -> Raw:
    members = _members(object_, path)
    members[path[0]] = value if len(path) == 1 else _with(members.get(path[0], Raw(b"{}")), path[1:], value)
    return Raw(_encode(members))


def _members(object_: Raw, path: Path) -> dict[str, Raw]:
    try:
        return _decode_members(object_)
    except msgspec.ValidationError as error:
        raise EditFailed(f"expected an object that can hold `{path[0]}`, got {bytes(object_)[:80]!r}") from error


def _line(event: bytes) -> bytes | EditFailed:
    try:
        return msgspec.json.format(event, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return EditFailed(f"expected JSON for the command: {error}")


def _mapped(line: bytes) -> bytes | None:
    return None if line.strip() in (b"", b"null") else line.strip()


async def _run(command: str, lines: Sequence[bytes]) -> list[bytes]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_shell(command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        written, errors = await process.communicate(b"".join(line + b"\n" for line in lines))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise MapFailed(f"{command!r} ended with exit code {process.returncode}: {said or 'it said nothing'}")
    mapped = written.removesuffix(b"\n").split(b"\n")
    if len(mapped) != len(lines):
        raise MapFailed(
            f"expected {len(lines)} lines from {command!r}, one for each it was given, got {len(mapped)}; "
            "have it write null for a record that shall be left alone"
        )
    return mapped


_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
