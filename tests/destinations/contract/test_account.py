"""The parts of the contract that need no Kafka: a kind's account in this process, and its stand-in."""

import asyncio

import pytest

from sluice.destinations.contract import Account, Destination, Misconfigured, Rejection, Unavailable
from sluice.destinations.item_calls import ItemDestination
from sluice.destinations.vendor_jobs import JobDestination
from sluice.events import Operation, RecordEvent
from sluice.flow.batch import Encoded, InDoubt
from sluice.flow.outcome import Fate
from tests.destinations.contract.kinds import every_answering_kind, every_kind
from tests.destinations.contract.opened_account import OpenedAccount, event_of, write_all
from tests.destinations.contract.sandboxed_kind import SandboxedKind
from tests.support.factories import NOON, encode_batch, record

COUNT = 6
WRONG = "another-secret"
WRITTEN = frozenset({Fate.DELIVERED, Fate.SKIPPED})


@every_kind
async def test_encoding_depends_on_nothing_but_its_arguments(kind: SandboxedKind) -> None:
    events = [event_of(maker(f"k-{n}")) for n in range(COUNT) for maker in (kind.insert, kind.mate, kind.bad)]
    one, other = kind.open_account(), kind.open_account()
    first = [_encoded(one, event, f"0-{n}") for n, event in enumerate(events)]
    backwards = [_encoded(other, event, f"0-{n}") for n, event in reversed(list(enumerate(events)))]
    assert first == backwards[::-1] == [_encoded(one, event, f"0-{n}") for n, event in enumerate(events)]
    await one.aclose()
    await other.aclose()


@every_kind
async def test_what_must_not_be_applied_twice_says_so(kind: SandboxedKind) -> None:
    account = kind.open_account()
    assert account.encode(event_of(kind.insert("k")), "0-1").replay_safe is not kind.has_unsafe
    assert account.encode(event_of(kind.upsert("k", 1)), "0-1").replay_safe
    await account.aclose()


DATA = [b"{}", b'{"a":null}', b'{"a":{"b":[1,{"c":2}]}}', b'{"":1}', b'{"a":"\\u0000"}', b'{"a":1e999}', b"[]", b"null"]
KEYS = ["k", "", " ", "ä\n,\"'", "x" * 5000, None, {}, {"a": "b"}, {"": ""}, [{"a": "b"}, {"c": "d"}], []]
OBJECTS = [" ", "nothing", "group/", "a/b/c", "Contact", "ä"]
OPERATIONS: list[Operation] = ["insert", "update", "upsert", "delete", "hardDelete"]


@every_kind
async def test_a_record_that_the_vendor_cannot_take_is_rejected_with_a_code_and_a_reason(kind: SandboxedKind) -> None:
    account = kind.open_account()
    known = {event_of(maker("k")).object for maker in (kind.insert, kind.mate, kind.bad)}
    for object_ in [*OBJECTS, *known]:
        for operation in OPERATIONS:
            for key in KEYS:
                for data in DATA:
                    found = _encoded(account, record(object_, operation, key, data, event_id="e"), "0-1")
                    assert isinstance(found, Encoded) or all(found)
    await account.aclose()


def _encoded(account: Account, event: RecordEvent, identifier: str) -> Encoded | tuple[str, str]:
    """Return ``event`` as the vendor gets it, or why not."""
    try:
        encoded = account.encode(event, identifier)
    except Rejection as rejection:
        return rejection.code, rejection.message
    hash(encoded.identity)
    return encoded


@every_kind
async def test_limits_are_the_vendors_and_all_of_them_positive(kind: SandboxedKind) -> None:
    account = kind.open_account()
    limits = account.limits
    assert limits == account.limits
    assert min(limits.max_items, limits.max_bytes, limits.max_concurrent) > 0
    assert bool(limits.max_jobs) == kind.runs_jobs
    assert isinstance(account, JobDestination if kind.runs_jobs else Destination | ItemDestination)
    await account.aclose()


@every_kind
async def test_the_check_says_who_answered(opened: OpenedAccount) -> None:
    assert await opened.account.check()
    assert [call.label for call in opened.app.calls]


@every_kind
async def test_a_wrong_secret_is_told_without_being_shown(opened: OpenedAccount) -> None:
    account = opened.kind.open_account(opened.url, secret=WRONG)
    with pytest.raises((Unavailable, Misconfigured)) as failure:
        await account.check()
    assert WRONG not in str(failure.value)
    assert str(failure.value)
    await account.aclose()


@every_kind
async def test_an_account_can_be_closed_twice(opened: OpenedAccount) -> None:
    await opened.account.check()
    await opened.account.aclose()
    await opened.account.aclose()


@every_answering_kind
async def test_a_write_returns_an_outcome_for_each_item_in_their_order(opened: OpenedAccount) -> None:
    kind, account = opened.kind, opened.account
    batch = encode_batch(account, [event_of((kind.bad if n % 2 else kind.insert)(f"k-{n}")) for n in range(COUNT)])
    outcomes = await write_all(account, batch)
    assert [outcome.fate in WRITTEN for outcome in outcomes] == [True, False] * (COUNT // 2)
    assert [outcomes[n].code for n in range(1, COUNT, 2)] == [kind.rejected] * (COUNT // 2)


@every_answering_kind
async def test_recovery_may_be_repeated_and_changes_nothing(opened: OpenedAccount) -> None:
    kind, account = opened.kind, opened.account
    await account.check()
    batch = encode_batch(account, [event_of(kind.insert(f"k-{n}")) for n in range(COUNT)])
    lost_at_s = asyncio.get_running_loop().time()
    in_doubt = InDoubt(batch_id="batch-1", refs={}, requested_at=NOON, lost_at_s=lost_at_s, vendor_at=account.vendor_at)
    found = [{item.row: outcome async for item, outcome in account.recover(batch, in_doubt)} for _ in range(2)]
    assert found == [dict.fromkeys(range(COUNT))] * 2
    assert opened.times_applied([f"k-{n}" for n in range(COUNT)]) == [0] * COUNT
