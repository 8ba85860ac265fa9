"""A letter becomes a record again, with its lineage and edited, or is refused with the reason."""

import random

import msgspec
import pytest

from sluice.client.connection import Connection
from sluice.dead_letters.editing import MapFailed, edit_fields, map_lines, parse_path, parse_set
from sluice.dead_letters.redrive_plan import RedriveRules
from sluice.dead_letters.selection import Selection
from sluice.events import decode_record
from sluice.headers import refs_of
from tests.support.letters import TRACEPARENT, Letter, bury, keys_of, read_records, redrive


async def test_lineage_is_kept_and_attempts_and_errors_are_not(connection: Connection) -> None:
    await bury(connection, [Letter(partition=1, redrives=1, source_offset=42)])
    await redrive(connection)
    [record] = await read_records(connection)
    assert list(record.headers) == [
        TRACEPARENT,
        ("app", b"\xff"),
        ("sluice.source.topic", connection.topics("crm").records.encode()),
        ("sluice.source.partition", b"1"),
        ("sluice.source.offset", b"42"),
        ("sluice.redrive-count", b"2"),
    ]


@pytest.mark.parametrize(("fresh", "refs"), [(False, {"meeting": "7"}), (True, {})])
async def test_what_was_half_made_is_continued_unless_it_is_to_be_made_anew(
    connection: Connection, fresh: bool, refs: dict[str, str]
) -> None:
    await bury(connection, [Letter(refs={"meeting": "7"}), Letter("whole")])
    result = await redrive(connection, rules=RedriveRules(edit_fields(sets=[parse_set("n=1")]), fresh=fresh))
    assert (result.sent, result.left_behind) == (2, int(fresh))
    assert [refs_of(record.headers) for record in await read_records(connection)] == [refs, {}]


async def test_letters_redriven_too_often_are_left(connection: Connection) -> None:
    await bury(connection, [Letter("a", redrives=2), Letter("b", redrives=3), Letter("c", redrives=4)])
    result = await redrive(connection, rules=RedriveRules(max_redrives=3))
    assert (result.sent, result.too_often) == (1, 2)
    assert keys_of(await read_records(connection)) == ["a"]


async def test_edit_changes_what_is_sent(connection: Connection) -> None:
    await bury(connection, [Letter(data={"nmae": "Acme", "n": 1})])
    edit = edit_fields(sets=[parse_set("name=Acme")], drops=[parse_path("nmae")])
    await redrive(connection, rules=RedriveRules(edit))
    [record] = await read_records(connection)
    assert msgspec.json.decode(decode_record(record.value).data) == {"n": 1, "name": "Acme"}


async def test_what_an_edit_breaks_is_refused_and_the_rest_goes(connection: Connection) -> None:
    await bury(connection, [Letter("a"), Letter("b"), Letter("c")])
    edit = map_lines("""sed -e '2s/"upsert"/"upset"/' -e '3s/.*/null/'""")
    result = await redrive(connection, rules=RedriveRules(edit))
    [refusal] = result.refusals
    assert (result.sent, result.refused, result.left_alone) == (1, 1, 1)
    assert str(refusal).startswith("0/1: expected a RecordEvent as JSON")
    assert keys_of(await read_records(connection)) == ["a"]
    assert (await redrive(connection)).sent == 2


async def test_command_that_fails_sends_nothing(connection: Connection) -> None:
    await bury(connection, [Letter("a"), Letter("b")])
    with pytest.raises(MapFailed, match="expected 2 lines"):
        await redrive(connection, rules=RedriveRules(map_lines("head -n 1")))
    with pytest.raises(MapFailed, match="exit code 3: no luck"):
        await redrive(connection, rules=RedriveRules(map_lines("echo no luck >&2; exit 3")))
    assert await read_records(connection) == []


async def test_poison_is_sent_by_force_only_and_untouched(connection: Connection) -> None:
    await bury(connection, [Letter(value=b"\x00\xff"), Letter("null", payload_at="nowhere")])
    result = await redrive(connection, Selection(keys=("c-1",)))
    assert (result.sent, result.refused) == (0, 1)
    assert "--force" in result.refusals[0].reason
    assert (await redrive(connection, Selection(keys=("c-1",)), RedriveRules(force=True))).sent == 1
    assert [record.value for record in await read_records(connection)] == [b"\x00\xff"]


async def test_record_that_became_too_large_is_refused(connection: Connection) -> None:
    await bury(connection, [Letter("a"), Letter("b", value=b"")])
    noise = random.Random(4).randbytes(800_000).hex()
    result = await redrive(connection, rules=RedriveRules(edit_fields(sets=[parse_set(f"noise={noise}")])))
    assert (result.sent, result.refused) == (0, 2)
    assert "max.message.bytes" in result.refusals[0].reason
    compressible = edit_fields(sets=[parse_set(f"noise={'x' * 1_600_000}")])
    assert (await redrive(connection, rules=RedriveRules(compressible))).sent == 1
