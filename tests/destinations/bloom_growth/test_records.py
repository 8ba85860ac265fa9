"""Record events as work: which call each becomes, and what is refused before anything is sent."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.destinations.bloom_growth.records import encode_record
from sluice.destinations.bloom_growth.work import Attend, Create, Delete, Score, Update, Upsert, decode_work
from sluice.destinations.contract import Rejection
from sluice.events import Key, Operation, RecordEvent
from tests.destinations.bloom_growth.offline import issue, rejection
from tests.support.factories import record


def work(event: RecordEvent) -> Create | Update | Upsert | Delete | Attend | Score:
    return decode_work(encode_record(event).body)


@pytest.mark.parametrize(
    ("object_", "data", "path", "body"),
    [
        pytest.param(
            "issue",
            {"title": "A", "meeting_id": 12, "user_id": 4, "notes": "n"},
            "issues/create",
            {"title": "A", "meetingId": 12, "ownerId": 4, "notes": "n"},
            id="issue",
        ),
        pytest.param(
            "todo",
            {"title": "A", "meeting_id": "12", "user_id": "4", "due_date": "2026-01-12"},
            "L10/12/todos",
            {"title": "A", "accountableUserId": 4, "dueDate": "2026-01-12"},
            id="todo of a meeting",
        ),
        pytest.param("todo", {"title": "A", "notes": None}, "todo/create", {"title": "A"}, id="personal todo"),
        pytest.param("goal", {"title": "A", "meeting_id": 12}, "L10/12/rocks", {"title": "A"}, id="goal"),
        pytest.param("goal", {"title": "A"}, "rocks/create", {"title": "A"}, id="goal without a meeting"),
        pytest.param("meeting", {"title": "A"}, "L10/create", {"title": "A", "addSelf": True}, id="meeting"),
        pytest.param(
            "meeting", {"title": "A", "add_self": False}, "L10/create", {"title": "A", "addSelf": False}, id="not mine"
        ),
        pytest.param(
            "headline",
            {"title": "A", "meeting_id": 12, "user_id": 4},
            "L10/12/headlines",
            {"title": "A", "ownerId": 4},
            id="headline",
        ),
    ],
)
def test_an_insert_is_a_create_that_is_not_repeated(object_: str, data: object, path: str, body: object) -> None:
    encoded = encode_record(record(object_, "insert", None, data))
    create = decode_work(encoded.body)
    assert isinstance(create, Create)
    assert (create.path, msgspec.json.decode(create.body), encoded.replay_safe) == (path, body, False)


def test_updates_and_deletes_are_safe_to_repeat() -> None:
    encoded = encode_record(issue("update", "7", title="B", complete=True))
    assert (encoded.replay_safe, encoded.identity) == (True, ("issue", 7))
    assert decode_work(encoded.body) == Update("issue", 7, msgspec.Raw(b'{"title":"B"}'), ("title",), complete=True)
    assert work(issue("delete", "7")) == Delete("issue", 7)
    assert work(issue("delete", "7", meeting_id=12)) == Delete("issue", 7, 12)


def test_a_goal_keeps_its_owner_unless_one_is_named() -> None:
    kept = work(record("goal", "update", "7", {"status": "off"}))
    named = work(record("goal", "update", "7", {"status": "off", "user_id": 4}))
    only_archived = work(record("goal", "update", "7", {"archived": True}))
    assert [isinstance(one, Update) and one.keeps_owner for one in (kept, named, only_archived)] == [True, False, False]
    assert isinstance(kept, Update)
    assert bytes(kept.fields) == b'{"completion":"AtRisk"}'


def test_attendees_are_named_once_in_their_order() -> None:
    create = work(record("meeting", "insert", None, {"title": "A", "attendees": [5, "4", 5]}))
    assert isinstance(create, Create)
    assert create.attendees == (5, 4)
    assert work(record("meeting_attendee", "insert", None, {"meeting_id": 3, "user_id": 4})) == Attend(3, 4)
    assert work(record("meeting_attendee", "upsert", None, {"meeting_id": 3, "user_id": 4})) == Attend(3, 4)


def test_a_score_keeps_its_digits_and_its_week() -> None:
    assert work(record("measurable", "update", "7", b'{"value":1.50}')) == Score(7, msgspec.Raw(b'{"value":1.50}'))
    assert work(record("measurable", "upsert", "7", {"value": 3, "week": 2900})) == Score(
        7, msgspec.Raw(b'{"value":3}'), 2900
    )


def test_the_key_of_an_upsert_may_name_the_record() -> None:
    named = {"meeting_id": "12", "title": "A"}
    expected = encode_record(record("issue", "upsert", None, {"meeting_id": 12, "title": "A", "notes": "n"}))
    for data in ({"notes": "n"}, {"meeting_id": 12, "title": "A", "notes": "n"}):
        assert encode_record(record("issue", "upsert", named, data)) == expected
    with pytest.raises(Rejection, match="expected the field `title` alike in key and data, got 'A' and 'B'"):
        encode_record(record("issue", "upsert", named, {"title": "B"}))


def test_an_upsert_with_a_key_is_an_update_and_without_one_finds_or_makes() -> None:
    assert isinstance(work(issue("upsert", "7", title="B")), Update)
    encoded = encode_record(record("todo", "upsert", None, {"title": "A", "meeting_id": 12, "notes": "n"}))
    upsert = decode_work(encoded.body)
    assert isinstance(upsert, Upsert)
    assert (encoded.replay_safe, upsert.names, upsert.dropped) == (False, ("title",), ("notes",))


def test_twins_have_one_identity_whatever_their_blanks() -> None:
    twin = encode_record(issue(title="  Late\ttrucks &amp; trains"))
    other = encode_record(issue(title="Late trucks & trains", user_id=4))
    upsert = encode_record(issue("upsert", None, title="Late trucks & trains", meeting_id=12))
    assert twin.identity == other.identity == upsert.identity
    assert encode_record(issue(title="late trucks & trains")).identity != twin.identity


@pytest.mark.parametrize(
    ("object_", "operation", "key", "data", "code", "says"),
    [
        pytest.param("isue", "insert", None, {}, "unknown-object", "did you mean `issue`?", id="object"),
        pytest.param("issue", "hardDelete", "7", {}, "unknown-operation", "got 'hardDelete'", id="operation"),
        pytest.param("todo", "delete", "7", {}, "unsupported-operation", "`complete` ends it", id="todo delete"),
        pytest.param("meeting_attendee", "delete", "7", {}, "unsupported-operation", "no call", id="attendee delete"),
        pytest.param("meeting_attendee", "update", "7", {}, "unsupported-operation", "no call", id="attendee update"),
        pytest.param("measurable", "insert", None, {}, "unsupported-operation", "update or upsert", id="measurable"),
        pytest.param("issue", "insert", "7", {}, "bad-key", "Bloom Growth chooses ids", id="insert with a key"),
        pytest.param("issue", "update", None, {}, "bad-key", "got null", id="update without a key"),
        pytest.param("issue", "update", {"a": "b"}, {}, "bad-key", "an object of 1", id="a mapping as key"),
        pytest.param("issue", "update", "x7", {}, "bad-value", "field `key`", id="a key that is no id"),
        pytest.param("issue", "delete", "0", {}, "bad-value", "field `key`", id="an id of 0"),
        pytest.param("issue", "insert", None, {"title": "A"}, "missing-field", "`meeting_id`", id="no meeting"),
        pytest.param("issue", "insert", None, {"meeting_id": 1, "title": None}, "missing-field", "`title`", id="null"),
        pytest.param("goal", "insert", None, {"title": " "}, "bad-value", "not blank", id="blank title"),
        pytest.param("goal", "insert", None, {"title": "A", "user_id": True}, "bad-value", "got true", id="true"),
        pytest.param("goal", "insert", None, {"title": "A", "user_id": -1}, "bad-value", "above 0", id="negative"),
        pytest.param("goal", "insert", None, {"title": "A", "due_date": "x"}, "unknown-field", "`due_date`", id="due"),
        pytest.param("goal", "insert", None, {"titel": "A", "title": "B"}, "unknown-field", "`title`?", id="typo"),
        pytest.param("goal", "update", "7", {"status": "green"}, "bad-value", "`complete`, got 'green'", id="status"),
        pytest.param("goal", "update", "7", {"title": None}, "bad-value", "got null", id="null in an update"),
        pytest.param("goal", "update", "7", {}, "no-fields", "at least one", id="nothing to change"),
        pytest.param("issue", "update", "7", {"meeting_id": 1}, "unchangeable-field", "`meeting_id`", id="moved"),
        pytest.param("todo", "update", "7", {"user_id": 1}, "unchangeable-field", "`user_id`", id="todo's owner"),
        pytest.param("todo", "update", "7", {"notes": "n"}, "unchangeable-field", "`notes`", id="todo's notes"),
        pytest.param("todo", "insert", None, {"title": "A", "due_date": "12.1."}, "bad-value", "2026-01-31", id="date"),
        pytest.param("todo", "update", "7", {"complete": "yes"}, "bad-value", "true or false", id="a word"),
        pytest.param("todo", "upsert", None, {"title": "A"}, "missing-field", "`meeting_id`", id="upsert personal"),
        pytest.param("meeting", "upsert", None, {"title": "A"}, "bad-key", "id of the meeting", id="upsert meeting"),
        pytest.param("meeting", "insert", None, {"title": "A", "attendees": "4"}, "bad-value", "a list", id="no list"),
        pytest.param("meeting", "insert", None, {"title": "A", "attendees": ["x"]}, "bad-value", "'x'", id="no id"),
        pytest.param("meeting", "update", "7", {"add_self": True}, "unchangeable-field", "`add_self`", id="add self"),
        pytest.param("measurable", "update", "7", {"value": "3"}, "bad-value", "a number", id="text as a value"),
        pytest.param("measurable", "update", "7", {"week": 3}, "missing-field", "`value`", id="no value"),
        pytest.param("issue", "insert", None, [], "bad-data", "an object", id="no object"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_name(
    object_: str, operation: Operation, key: Key, data: object, code: str, says: str
) -> None:
    refused = rejection(record(object_, operation, key, data))
    assert refused.code == code
    assert says in refused.message


@given(
    st.sampled_from(["issue", "todo", "goal", "meeting", "headline", "measurable", "meeting_attendee"]),
    st.sampled_from(["insert", "update", "upsert", "delete"]),
    st.none() | st.text(max_size=3),
    st.dictionaries(
        st.sampled_from(["title", "meeting_id", "user_id", "due_date", "attendees", "value", "status", "x"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.lists(st.integers()),
    ),
)
def test_encoding_raises_nothing_but_rejections(object_: str, operation: Operation, key: Key, data: object) -> None:
    with suppress(Rejection):
        assert encode_record(record(object_, operation, key, data)).body
