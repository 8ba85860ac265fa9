"""Outcomes of a batch: states, and how results find their entries. blueconic.md §3 to §5, Mapping."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.destinations.blueconic.results import RESENT, Result, outcomes_of
from sluice.destinations.contract import BatchError
from sluice.events import Operation, RecordEvent
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.blueconic.offline import ENTRIES, companies, created, results, write
from tests.support.factories import make_item, record

LOST_ITEM = Outcome(Fate.AMBIGUOUS, "no-result", "the answer has no single result for it", None, 200)


@pytest.mark.parametrize(
    ("operation", "state", "fate", "warning"),
    [
        pytest.param("upsert", "CREATED", "delivered", None, id="upsert, created"),
        pytest.param("upsert", "MODIFIED", "delivered", None, id="upsert, modified"),
        pytest.param("upsert", "UNCHANGED", "skipped", None, id="upsert, unchanged"),
        pytest.param("upsert", "NOTFOUND", "rejected", None, id="upsert, not found makes no sense"),
        pytest.param("insert", "CREATED", "delivered", None, id="insert, created"),
        pytest.param("insert", "MODIFIED", "delivered", "existed already", id="insert of what was there"),
        pytest.param("insert", "UNCHANGED", "skipped", "existed already", id="insert of the same"),
        pytest.param("update", "MODIFIED", "delivered", None, id="update, modified"),
        pytest.param("update", "UNCHANGED", "skipped", None, id="update, unchanged"),
        pytest.param("update", "NOTFOUND", "skipped", None, id="update of nothing"),
        pytest.param("delete", "DELETED", "delivered", None, id="delete"),
        pytest.param("delete", "NOTFOUND", "skipped", None, id="delete of nothing"),
        pytest.param("upsert", "UNKNOWN_GROUP_TYPE", "rejected", None, id="unknown group type"),
        pytest.param("upsert", "SKIPPED", "rejected", None, id="skipped by the vendor"),
        pytest.param("upsert", "CONSENT_MISMATCH", "rejected", None, id="no consent"),
        pytest.param("upsert", "RESTRICTION_MISMATCH", "rejected", None, id="not in the segment"),
        pytest.param("upsert", "UNAUTHORIZED", "rejected", None, id="no right to personal data"),
        pytest.param("upsert", "created", "rejected", None, id="an unknown state, if only by its case"),
        pytest.param("upsert", "FROZEN_2", "rejected", None, id="an unknown state"),
    ],
)
@pytest.mark.parametrize("object_", ["group/company", "profile"])
async def test_a_state_becomes_a_fate(
    object_: str, operation: Operation, state: str, fate: str, warning: str | None
) -> None:
    answer = results({"state": state, "identifier": "0-0", "groupId": "c-1"})
    (outcome,) = await write(answer, [record(object_, operation)])
    assert (outcome.fate, outcome.code, outcome.record_id, outcome.warning) == (fate, state, "c-1", warning)


@pytest.mark.parametrize("state", ["UNKNOWN_GROUP_TYPE", "SKIPPED", "CONSENT_MISMATCH", "UNAUTHORIZED", "NOTFOUND"])
async def test_a_rejection_says_what_it_means(state: str) -> None:
    (outcome,) = await write(results(created(0, state=state)), [record()])
    assert outcome.message
    assert outcome.http_status == 200


async def test_objections_are_the_message_of_a_rejection_and_the_warning_of_a_success() -> None:
    errors = {"visits": ["not a number", "too long"], "tags": []}
    skipped = created(0, state="SKIPPED", validationErrors=errors)
    outcomes = await write(results(skipped, created(1, validationErrors=errors)), companies(2))
    said = "visits: not a number, too long; tags: "
    assert [(outcome.fate, outcome.message, outcome.warning) for outcome in outcomes] == [
        ("rejected", said, None),
        ("delivered", "", said),
    ]


async def test_a_profiles_outcome_has_the_id_that_the_vendor_chose() -> None:
    (outcome,) = await write(
        results({"state": "CREATED", "identifier": "0-0", "profileId": "3f1c"}),
        [record("profile", key={"email": "j@x.test"})],
    )
    assert outcome == Outcome(Fate.DELIVERED, "CREATED", "", "3f1c")


@pytest.mark.parametrize(
    ("operation", "event", "fate", "code"),
    [
        pytest.param("insert", {"state": "SET"}, "delivered", "SET", id="set"),
        pytest.param("upsert", {"state": "CREATED"}, "delivered", "CREATED", id="created"),
        pytest.param("upsert", {"state": "MODIFIED"}, "delivered", "MODIFIED", id="modified"),
        pytest.param("delete", {"state": "DELETED"}, "delivered", "DELETED", id="deleted"),
        pytest.param("delete", {"state": "NOTFOUND"}, "skipped", "NOTFOUND", id="delete of nothing"),
        pytest.param("update", {"state": "NOTFOUND"}, "skipped", "NOTFOUND", id="update of nothing"),
        pytest.param("upsert", {"state": "NOTFOUND"}, "rejected", "NOTFOUND", id="upsert, not found"),
        pytest.param("insert", {"state": "REJECTED"}, "rejected", "REJECTED", id="rejected"),
        pytest.param("insert", {"state": "ODD"}, "rejected", "ODD", id="an unknown state"),
        pytest.param("insert", {"state": 7}, "ambiguous", "no-result", id="no state"),
        pytest.param("insert", None, "ambiguous", "no-result", id="no result"),
        pytest.param("insert", "SET", "ambiguous", "no-result", id="no object"),
    ],
)
async def test_an_events_own_state_becomes_its_fate(operation: Operation, event: object, fate: str, code: str) -> None:
    profile = {"state": "MODIFIED", "identifier": "0-0", "profileId": "p-1", "timeline": [event] if event else []}
    (outcome,) = await write(results(profile), [record("timeline/order", operation, {"email": "x", "id": "o-1"})])
    assert (outcome.fate, outcome.code) == (fate, code)


@pytest.mark.parametrize(
    ("operation", "fate"),
    [
        pytest.param("insert", "rejected", id="an insert would be lost"),
        pytest.param("upsert", "rejected", id="an upsert would be lost"),
        pytest.param("update", "skipped", id="nothing to update"),
        pytest.param("delete", "skipped", id="nothing to delete"),
    ],
)
async def test_an_event_of_a_profile_that_is_not_there(operation: Operation, fate: str) -> None:
    answer = results({"state": "NOTFOUND", "identifier": "0-0"})
    (outcome,) = await write(answer, [record("timeline/order", operation, {"email": "x", "id": "o-1"})])
    assert (outcome.fate, outcome.code) == (fate, "NOTFOUND")


async def test_a_rejected_event_says_why() -> None:
    why = "#/total_revenue/0: expected type: Number, found: String"
    event = {"id": "o-1", "identifier": "0-0", "state": "REJECTED", "validationErrors": [why]}
    answer = results({"state": "MODIFIED", "identifier": "0-0", "timeline": [event]})
    (outcome,) = await write(answer, [record("timeline/order", "insert", "p-1")])
    assert outcome == Outcome(Fate.REJECTED, "REJECTED", why, "o-1", 200)


DONE = [f"c-{row}" for row in range(3)]
JOINED = [f"company_{record_id}" for record_id in DONE]


def joined(row: int, **changes: Any) -> dict[str, Any]:
    return created(row, identifier=None, groupId=JOINED[row], **changes)


@pytest.mark.parametrize(
    ("answers", "record_ids"),
    [
        pytest.param([created(0), created(1), created(2)], DONE, id="in order"),
        pytest.param([created(2), created(0), created(1)], DONE, id="shuffled"),
        pytest.param([created(1), created(0)], ["c-0", "c-1", None], id="one is missing"),
        pytest.param([], [None, None, None], id="all are missing"),
        pytest.param([created(row, identifier=None) for row in (2, 0, 1)], DONE, id="by type and id"),
        pytest.param([joined(row) for row in (2, 0, 1)], JOINED, id="by the joined form"),
        pytest.param([joined(row, groupTypeId=None) for row in (2, 0, 1)], JOINED, id="by it without a type"),
        pytest.param([created(0), created(1, identifier=None), created(2)], DONE, id="one without identifier"),
        pytest.param([created(0), created(1, identifier="9-9"), created(2)], ["c-0", None, "c-2"], id="a stranger's"),
        pytest.param(
            [created(row, identifier=None, groupTypeId="person") for row in range(3)],
            [None, None, None],
            id="of another type",
        ),
        pytest.param([created(0), created(0), created(1), created(2)], DONE, id="one twice, agreeing"),
        pytest.param(
            [created(0), created(0, state="SKIPPED"), created(1), created(2)], [None, "c-1", "c-2"], id="one disputed"
        ),
    ],
)
async def test_results_are_matched_to_entries(answers: list[dict[str, Any]], record_ids: list[str | None]) -> None:
    outcomes = await write(results(*answers), companies(3))
    assert [outcome.record_id for outcome in outcomes] == record_ids
    assert all(outcome == LOST_ITEM for outcome in outcomes if outcome.record_id is None)


async def test_bare_states_are_matched_by_position_if_there_are_as_many_as_entries() -> None:
    bare = [{"state": "CREATED"}, {"state": "SKIPPED"}]
    assert [outcome.code for outcome in await write(results(*bare), companies(2))] == ["CREATED", "SKIPPED"]
    assert list(await write(results(*bare), companies(3))) == [LOST_ITEM] * 3
    mixed = results(bare[0], created(1, identifier=None))
    assert [outcome.fate for outcome in await write(mixed, companies(2))] == ["ambiguous", "delivered"]


async def test_profiles_are_matched_by_identifier_only() -> None:
    events = [record("profile", key="p-0"), record("profile", key={"email": "x"})]
    found = [{"state": "MODIFIED", "profileId": "p-0"}, {"state": "CREATED", "profileId": "p-1"}]
    assert list(await write(results(*found), events)) == [LOST_ITEM] * 2
    assert list(await write(results({"state": "CREATED"}, {"state": "CREATED"}), events)) == [LOST_ITEM] * 2


async def test_a_joined_form_that_could_be_two_groups_is_neither() -> None:
    events = [record("group/a", key="b_c"), record("group/a_b", key="c")]
    answer = results({"state": "CREATED", "groupId": "a_b_c"}, {"state": "CREATED", "groupTypeId": "x"})
    assert list(await write(answer, events)) == [LOST_ITEM] * 2


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(created(0, groupId=5), id="an id that is a number"),
        pytest.param(created(0, state=["CREATED"]), id="a state that is a list"),
        pytest.param("CREATED", id="no object"),
        pytest.param({"identifier": "0-0"}, id="no state"),
        pytest.param({"identifier": "0-0", "state": ""}, id="an empty state"),
        pytest.param({"identifier": "0-0", "state": None}, id="a null state"),
    ],
)
async def test_a_result_that_cannot_be_read_costs_only_its_own_item(odd: Any) -> None:
    outcomes = await write(results(odd, created(1)), companies(2))
    assert [outcome.fate for outcome in outcomes] == ["ambiguous", "delivered"]


async def test_of_a_413_with_results_the_rest_is_sent_anew() -> None:
    outcomes = await write(results(created(0), created(1, state="SKIPPED"), status=413), companies(4))
    assert [(outcome.fate, outcome.code) for outcome in outcomes] == [
        ("delivered", "CREATED"),
        ("rejected", "SKIPPED"),
        ("retryable", "413"),
        ("retryable", "413"),
    ]
    assert not any(outcome.uses_attempt for outcome in outcomes[2:])


async def test_of_a_413_with_results_a_missing_one_is_ambiguous() -> None:
    outcomes = await write(results(created(0), created(2), created(1, identifier="x"), status=413), companies(4))
    assert [outcome.fate for outcome in outcomes] == ["delivered", "ambiguous", "delivered", "retryable"]


@pytest.mark.parametrize(
    ("operation", "state", "fate", "words"),
    [
        pytest.param("upsert", "UNCHANGED", "skipped", RESENT, id="upsert"),
        pytest.param("update", "MODIFIED", "delivered", RESENT, id="update"),
        pytest.param("update", "NOTFOUND", "skipped", RESENT, id="update of nothing"),
        pytest.param("delete", "NOTFOUND", "skipped", RESENT, id="delete"),
        pytest.param("insert", "UNCHANGED", "delivered", RESENT, id="insert, made by the first attempt"),
        pytest.param("insert", "MODIFIED", "delivered", f"existed already; {RESENT}", id="insert of what was there"),
        pytest.param("upsert", "SKIPPED", "rejected", None, id="no success"),
    ],
)
def test_the_result_of_a_repeat_is_marked(operation: Operation, state: str, fate: str, words: str | None) -> None:
    event = record(operation=operation)
    item = make_item(event=event, encoded=ENTRIES.encode(event, "0-0"))
    item.may_run_until_s = 1.0
    (outcome,) = outcomes_of([item], [Result(state=state, identifier=item.identifier)])
    assert (outcome.fate, outcome.code, outcome.warning) == (fate, state, words)
    assert outcome.warning or outcome.message.endswith(RESENT)


def test_the_result_of_a_repeated_event_is_marked() -> None:
    event = record("timeline/order", "insert", "p-1")
    item = make_item(event=event, encoded=ENTRIES.encode(event, "0-0"))
    item.may_run_until_s = 1.0
    result = Result(state="UNCHANGED", identifier=item.identifier, timeline=[{"state": "SET"}])
    (outcome,) = outcomes_of([item], [result])
    assert (outcome.fate, outcome.warning) == ("delivered", RESENT)


def test_what_is_sent_again_only_after_a_proof_is_not_marked() -> None:
    event = record(data={"visits": {"increment": 1}})
    item = make_item(event=event, encoded=ENTRIES.encode(event, "0-0"), replay_safe=False)
    item.may_run_until_s = 1.0
    (outcome,) = outcomes_of([item], [Result(state="MODIFIED", identifier=item.identifier)])
    assert outcome.warning is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["CREATED", "0-0", "c-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
RESULT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["state", "identifier", "groupId", "groupTypeId", "profileId", "validationErrors", "timeline"], JSON
    ),
)
BODIES = st.binary() | JSON.map(msgspec.json.encode) | st.lists(RESULT | JSON, max_size=4).map(msgspec.json.encode)
EVENTS = (companies(2), [record("profile")], [record("timeline/order", "insert")])


@pytest.mark.parametrize("depth", [50, 500, 900])
@pytest.mark.parametrize("nest", [lambda inner: {"a": inner}, lambda inner: [inner]], ids=["objects", "arrays"])
async def test_objections_nested_beyond_reason_are_cut(depth: int, nest: Callable[[object], object]) -> None:
    errors: object = "why"
    for _ in range(depth):
        errors = nest(errors)
    body = json.dumps([created(0, state="SKIPPED", validationErrors=errors)])
    (outcome,) = await write(httpx.Response(200, text=body), companies(1))
    assert (outcome.fate, outcome.code) == (Fate.REJECTED, "SKIPPED")
    assert outcome.message.endswith("…")


@settings(deadline=None)
@given(status=st.sampled_from([200, 413]) | st.integers(200, 599), body=BODIES, events=st.sampled_from(EVENTS))
async def test_any_answer_is_outcomes_or_a_batch_error(status: int, body: bytes, events: list[RecordEvent]) -> None:
    try:
        outcomes = await write(httpx.Response(status, content=body), events)
    except BatchError:
        return
    assert len(outcomes) == len(events)
    assert all(outcome.code for outcome in outcomes)
