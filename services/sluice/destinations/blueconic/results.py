"""Results in BlueConic's answer, read as one outcome per item.

A result belongs to the entry with its ``identifier``. A group's result without one belongs to the entry with its type
and id. Position counts only if there are as many results as entries and no result has any of these. §3 [spec],
Mapping. An entry without a result, or with two that disagree, is ambiguous.

=========================================================  =========================================================
state                                                      fate
=========================================================  =========================================================
CREATED, MODIFIED, DELETED                                 delivered
UNCHANGED                                                  skipped
NOTFOUND on a delete                                       skipped
NOTFOUND on an update                                      skipped, nothing was there to change; or rejected, as the
                                                           setting ``missing_updates`` says
NOTFOUND for a timeline event to add                       rejected: the event would be lost in silence
any other                                                  rejected, with the state as its code
UNAUTHORIZED                                               rejected, not held: the rest of the batch was applied; once
                                                           a person has granted the right it can be redriven
=========================================================  =========================================================
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from sluice.destinations.blueconic.groups import GROUPS
from sluice.events import RecordEvent
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome

FATES = {
    "CREATED": Fate.DELIVERED,
    "MODIFIED": Fate.DELIVERED,
    "DELETED": Fate.DELIVERED,
    "UNCHANGED": Fate.SKIPPED,
}
"""States of groups and profiles after a success. §3, §4 [spec]"""
EVENT_FATES = {
    "CREATED": Fate.DELIVERED,
    "SET": Fate.DELIVERED,
    "MODIFIED": Fate.DELIVERED,
    "DELETED": Fate.DELIVERED,
}
"""States of timeline events after a success. §5 [spec]"""
MEANINGS = {
    "NOTFOUND": "nothing of that key is there",
    "UNKNOWN_GROUP_TYPE": "BlueConic has no such group type; make it there or correct the object",
    "SKIPPED": "BlueConic did nothing with it and does not say why",
    "CONSENT_MISMATCH": "the profile has not consented to any of the objectives in objective_ids",
    "RESTRICTION_MISMATCH": "the profile does not fit the restriction",
    "UNAUTHORIZED": "it writes personal data, which the application may not; grant it the right, then redrive",
}
"""Messages for people, used if the vendor gives no reason."""
MAX_DEPTH = 10
"""Levels of ``validationErrors`` that are read. Two are known; JSON may have more than Python's stack."""
EXISTED = "existed already"
"""Warning for an insert that found its record: this vendor has no strategy that only inserts. Mapping"""
RESENT = "sent again after a lost answer, so an earlier attempt may have done it"
"""Mark of a result whose state may be that of a repeat. Mapping"""


class Result(msgspec.Struct, rename="camel", gc=False):
    """BlueConic's result for one entry; absent and ``null`` are the same. §3, §4 [spec]"""

    state: str | None = None
    identifier: str | None = None
    group_id: str | None = None
    group_type_id: str | None = None
    profile_id: str | None = None
    validation_errors: Any = None
    timeline: Any = None


def read_results(content: bytes) -> list[Result] | None:
    """Return the results in an answer, ``None`` if it is not an array. One that cannot be read becomes an empty one."""
    try:
        return _decode(content)
    except msgspec.ValidationError:
        pass  # one result has a field of an unexpected type: read the others without it
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    try:
        return [_read_result(result) for result in msgspec.json.decode(content, type=list[Any])]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def outcomes_of(
    items: Sequence[Item], results: Sequence[Result], *, missing: Fate = Fate.SKIPPED, cut: bool = False
) -> list[Outcome]:
    """Return one outcome per item, in item order.

    ``missing`` is the fate of an update of what is not there. ``cut``: the first ``len(results)`` entries were
    processed (413).
    """
    identifiers = [item.identifier for item in items]
    if [result.identifier for result in results] != identifiers:
        matched = _match_results(items, identifiers, results)
        return list(_outcomes_of_matched(items, matched, missing, len(results) if cut else len(items)))

    # Nearly every answer comes here: one result per entry, in order.
    outcomes = []
    for item, result in zip(items, results, strict=True):
        event = item.event
        state = result.state or ""
        plain = state in FATES and not result.validation_errors and event.operation != "insert"
        if plain and not item.may_run_until_s and not event.object.startswith("timeline/"):
            outcomes.append(Outcome(FATES[state], state, "", result.group_id or result.profile_id))
        else:
            outcomes.append(_outcome(item, result, missing))
    return outcomes


def _read_result(result: Any) -> Result:
    try:
        return msgspec.convert(result, Result)
    except msgspec.ValidationError:
        return Result()


def _outcomes_of_matched(
    items: Sequence[Item], results: Sequence[Result | None], missing: Fate, processed: int
) -> Iterator[Outcome]:
    for row, (item, result) in enumerate(zip(items, results, strict=True)):
        if result is not None:
            yield _outcome(item, result, missing)
        elif row < processed:
            yield Outcome(Fate.AMBIGUOUS, "no-result", "the answer has no single result for it", None, 200)
        else:
            message = "BlueConic looked at the first entries of the request only"
            yield Outcome(Fate.RETRYABLE, "413", message, None, 413, uses_attempt=False)


def _match_results(items: Sequence[Item], identifiers: Sequence[str], results: Sequence[Result]) -> list[Result | None]:
    """Return the result of each item, or ``None`` if it has none or several that disagree."""
    found: list[Result | None] = [None] * len(items)
    if items and items[0].encoded.batch_key == GROUPS:
        rows = _rows_by_group(items)
        if len(results) == len(items) and not any(result.identifier or result.group_id for result in results):
            return list(results)
    else:
        rows = {}  # a profile's id tells nothing: it may be new, and two entries may have found one profile. §4 [spec]
    by_identifier = {identifier: row for row, identifier in enumerate(identifiers)}
    disputed = set()
    for result in results:
        if result.identifier:
            row = by_identifier.get(result.identifier)
        else:
            row = rows.get((result.group_type_id, result.group_id))
        if row is None:
            continue
        if (before := found[row]) is not None and before.state != result.state:
            disputed.add(row)
        found[row] = result
    for row in disputed:
        found[row] = None
    return found


def _rows_by_group(items: Iterable[Item]) -> dict[tuple[str | None, str | None], int | None]:
    """Return rows by type and id, also as ``<type>_<id>`` with and without the type; ``None`` for two. §3 [client]"""
    rows: dict[tuple[str | None, str | None], int | None] = {}
    for row, item in enumerate(items):
        type_, id_ = item.event.object.partition("/")[2], str(item.event.key)
        joined = f"{type_}_{id_}"
        for name in ((type_, id_), (type_, joined), (None, joined)):
            rows[name] = None if name in rows else row
    return rows


def _outcome(item: Item, result: Result, missing: Fate) -> Outcome:
    event, state = item.event, result.state
    if not state:
        record_id = result.group_id or result.profile_id
        return Outcome(Fate.AMBIGUOUS, "no-state", "its result names no state", record_id, 200)
    # What is not safe to repeat is sent again only if its earlier attempt is known to have done nothing.
    resent = bool(item.may_run_until_s) and item.encoded.replay_safe
    if state in FATES and event.object.startswith("timeline/"):
        return _event_outcome(event, result, missing, RESENT if resent else "")
    fate = FATES.get(state)
    objections = "; ".join(_objections(result.validation_errors))
    if fate is not None and event.operation == "insert" and state != "CREATED":
        if resent and state == "UNCHANGED":
            fate = Fate.DELIVERED  # Its own first attempt is the likeliest writer. Mapping [assumed]
        else:
            objections = _joined(EXISTED, objections)
    record_id = result.group_id or result.profile_id
    return _outcome_of(event, state, fate, missing, record_id, objections, RESENT if resent else "")


def _event_outcome(event: RecordEvent, result: Result, missing: Fate, mark: str) -> Outcome:
    """Return the outcome of the timeline event in an entry whose profile was written. §5 [spec]"""
    entries = result.timeline if isinstance(result.timeline, list) else []
    # Each of our entries has one event.
    answer = entries[0] if len(entries) == 1 and isinstance(entries[0], dict) else {}
    state = answer.get("state")
    if not state or not isinstance(state, str):
        return Outcome(
            Fate.AMBIGUOUS, "no-result", "the profile's result has none for its event", result.profile_id, 200
        )
    fate = EVENT_FATES.get(state)
    record_id = answer["id"] if isinstance(answer.get("id"), str) else None
    objections = "; ".join(_objections(answer.get("validationErrors")))
    if fate is not None:
        objections = _joined(objections, *_objections(result.validation_errors))
    return _outcome_of(event, state, fate, missing, record_id, objections, mark)


def _outcome_of(
    event: RecordEvent, state: str, fate: Fate | None, missing: Fate, record_id: str | None, objections: str, mark: str
) -> Outcome:
    """Return the outcome of ``state``, whose ``fate`` is that of a success if it is one."""
    if fate is not None:
        return Outcome(fate, state, "", record_id, warning=_joined(objections, mark) or None)
    message = objections or MEANINGS.get(state, "")
    if state == "NOTFOUND" and event.operation in ("update", "delete"):
        fate = missing if event.operation == "update" else Fate.SKIPPED
        if fate is Fate.SKIPPED:
            return Outcome(fate, state, message, record_id, 200, warning=mark or None)
    return Outcome(Fate.REJECTED, state, _joined(message, mark), record_id, 200)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _objections(errors: Any, depth: int = MAX_DEPTH) -> Iterator[str]:
    """Yield the messages in ``validationErrors``: by property, or a plain list for a timeline event. §3, §5 [spec]"""
    match errors:
        case str() if errors:
            yield errors
        case dict() | list() if depth == 0:
            yield "…"
        case dict():
            for name, messages in errors.items():
                yield f"{name}: {', '.join(_objections(messages, depth - 1))}"
        case list():
            for message in errors:
                yield from _objections(message, depth - 1)


_decode = msgspec.json.Decoder(list[Result]).decode
