"""From BlueConic's answer to one outcome per item.

A result is found by its ``identifier``; for a group, one without is found by type and id, and by position only if the
answer has as many results as the request had entries and nothing to go by. §3 [spec], Mapping. An entry without a
result, or with two that disagree, is ambiguous.

=========================================================  =========================================================
state                                                      fate
=========================================================  =========================================================
CREATED, MODIFIED, DELETED                                 delivered
UNCHANGED                                                  skipped
NOTFOUND on delete and update                              skipped; on an update nothing was there to change
NOTFOUND for a timeline event to add                       rejected: the event would be lost in silence
any other one                                              rejected, verbatim
UNAUTHORIZED                                               rejected: the rest of the batch was applied, so it cannot
                                                           be held; the record can be redriven once a person has
                                                           granted the right, and no waiting replaces that
=========================================================  =========================================================
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from sluice.destinations.blueconic.entries import GROUPS
from sluice.events import RecordEvent
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome

FATES = {
    "CREATED": Fate.DELIVERED,
    "MODIFIED": Fate.DELIVERED,
    "DELETED": Fate.DELIVERED,
    "UNCHANGED": Fate.SKIPPED,
}
"""States of groups and profiles that say that all went well. §3, §4 [spec]"""
EVENT_FATES = {
    "CREATED": Fate.DELIVERED,
    "SET": Fate.DELIVERED,
    "MODIFIED": Fate.DELIVERED,
    "DELETED": Fate.DELIVERED,
}
"""The same of timeline events. §5 [spec]"""
MEANINGS = {
    "NOTFOUND": "nothing of that key is there",
    "UNKNOWN_GROUP_TYPE": "BlueConic has no such group type; make it there or correct the object",
    "SKIPPED": "BlueConic did nothing with it and does not say why",
    "CONSENT_MISMATCH": "the profile has not consented to any of the objectives in objective_ids",
    "RESTRICTION_MISMATCH": "the profile does not fit the restriction",
    "UNAUTHORIZED": "it writes personal data, which the application may not; grant it the right, then redrive",
}
"""For people, where the vendor gives no reason."""
EXISTED = "existed already"
"""The warning of an insert that was none: there is no insert-only at this vendor. Mapping"""


class Result(msgspec.Struct, rename="camel", gc=False):
    """What BlueConic says about one entry; absent and ``null`` are the same. §3, §4 [spec]"""

    state: str | None = None
    identifier: str | None = None
    group_id: str | None = None
    group_type_id: str | None = None
    profile_id: str | None = None
    validation_errors: Any = None
    timeline: Any = None


def read_results(content: bytes) -> list[Result] | None:
    """The results in an answer, ``None`` if it is not an array. One that cannot be read stands as an empty one."""
    try:
        return _decode(content)
    except msgspec.ValidationError:
        pass  # a field of an unexpected type in one result must not cost the others theirs
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    try:
        return [_read(result) for result in msgspec.json.decode(content, type=list[Any])]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def outcomes_of(items: Sequence[Item], results: Sequence[Result], *, cut: bool = False) -> list[Outcome]:
    """One outcome per item, in item order. ``cut``: only the first ``len(results)`` entries were looked at (413)."""
    identifiers = [item.identifier for item in items]
    if [result.identifier for result in results] != identifiers:
        return list(_found_outcomes(items, _matched(items, identifiers, results), len(results) if cut else len(items)))

    outcomes = []
    for item, result in zip(items, results, strict=True):
        event = item.event
        state = result.state or ""
        plain = state in FATES and not result.validation_errors and event.operation != "insert"
        if plain and not event.object.startswith("timeline/"):
            outcomes.append(Outcome(FATES[state], state, "", result.group_id or result.profile_id))
        else:
            outcomes.append(_outcome(event, result))
    return outcomes


def _read(result: Any) -> Result:
    try:
        return msgspec.convert(result, Result)
    except msgspec.ValidationError:
        return Result()


def _found_outcomes(items: Sequence[Item], results: Sequence[Result | None], looked_at: int) -> Iterator[Outcome]:
    for row, (item, result) in enumerate(zip(items, results, strict=True)):
        if result is not None:
            yield _outcome(item.event, result)
        elif row < looked_at:
            yield Outcome(Fate.AMBIGUOUS, "no-result", "the answer has no single result for it", None, 200)
        else:
            yield Outcome(Fate.RETRYABLE, "413", "BlueConic looked at the first entries of the request only", None, 413)


def _matched(items: Sequence[Item], identifiers: Sequence[str], results: Sequence[Result]) -> list[Result | None]:
    """The result of each item, where there is exactly one."""
    found: list[Result | None] = [None] * len(items)
    if items and items[0].encoded.batch_key == GROUPS:
        rows = _rows_by_group(items)
        if len(results) == len(items) and not any(result.identifier or result.group_id for result in results):
            return list(results)
    else:
        rows = {}  # a profile's id may be new to us, and two entries may have found the same profile. §4 [spec]
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
    """Rows by type and id, also as ``<type>_<id>`` with and without the type. §3 [client]

    ``None`` where two items could be meant.
    """
    rows: dict[tuple[str | None, str | None], int | None] = {}
    for row, item in enumerate(items):
        type_, id_ = item.event.object.partition("/")[2], str(item.event.key)
        joined = f"{type_}_{id_}"
        for name in ((type_, id_), (type_, joined), (None, joined)):
            rows[name] = None if name in rows else row
    return rows


def _outcome(event: RecordEvent, result: Result) -> Outcome:
    state = result.state
    record_id = result.group_id or result.profile_id
    said = "; ".join(_objections(result.validation_errors))
    if not state:
        return Outcome(Fate.AMBIGUOUS, "no-state", "its result names no state", record_id, 200)
    fate = FATES.get(state)
    if fate is not None:
        if event.object.startswith("timeline/"):
            return _event_outcome(event, result)
        existed = event.operation == "insert" and state != "CREATED"
        warning = "; ".join(part for part in (EXISTED if existed else "", said) if part)
        return Outcome(fate, state, "", record_id, warning=warning or None)
    adds = event.operation in ("insert", "upsert")
    fate = Fate.SKIPPED if state == "NOTFOUND" and not adds else Fate.REJECTED
    return Outcome(fate, state, said or MEANINGS.get(state, ""), record_id, 200)


def _event_outcome(event: RecordEvent, result: Result) -> Outcome:
    """The fate of the timeline event in a profile's entry that went well. §5 [spec]"""
    entries = result.timeline if isinstance(result.timeline, list) else []
    # Each entry of ours carries one event.
    answer = entries[0] if len(entries) == 1 and isinstance(entries[0], dict) else {}
    state = answer.get("state")
    if not state or not isinstance(state, str):
        return Outcome(
            Fate.AMBIGUOUS, "no-result", "the profile's result has none for its event", result.profile_id, 200
        )
    said = "; ".join(_objections(answer.get("validationErrors")))
    record_id = answer["id"] if isinstance(answer.get("id"), str) else None
    fate = EVENT_FATES.get(state)
    if fate is not None:
        warning = "; ".join(part for part in (said, *_objections(result.validation_errors)) if part)
        return Outcome(fate, state, "", record_id, warning=warning or None)
    adds = event.operation in ("insert", "upsert")
    fate = Fate.SKIPPED if state == "NOTFOUND" and not adds else Fate.REJECTED
    return Outcome(fate, state, said or MEANINGS.get(state, ""), record_id, 200)


def _objections(errors: Any) -> Iterator[str]:
    """``validationErrors``: messages by property, or of a timeline event a plain list. §3, §5 [spec]"""
    match errors:
        case dict():
            for name, messages in errors.items():
                yield f"{name}: {', '.join(_objections(messages))}"
        case list():
            for message in errors:
                yield from _objections(message)
        case str() if errors:
            yield errors


_decode = msgspec.json.Decoder(list[Result]).decode
