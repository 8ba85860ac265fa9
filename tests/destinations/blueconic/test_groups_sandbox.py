"""BlueConic's client against its stand-in, over HTTP: the two were written from blueconic.md by different hands."""

import asyncio
from datetime import datetime

import pytest

from sandbox.blueconic.settings import Settings
from sandbox.faults.fault import (
    Bomb,
    Cookies,
    DropAfter,
    DropBefore,
    Endless,
    Garbage,
    MissingResults,
    OmitIdentifiers,
    Outage,
    ShuffleResults,
    Stall,
    Standing,
    Status,
    StatusAfter,
    Truncate,
)
from sluice.destinations.blueconic.destination import LIMITS
from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.flow.batch import InDoubt
from sluice.flow.outcome import Fate
from tests.destinations.blueconic.offline import SETTINGS, companies
from tests.destinations.blueconic.tenant import Tenant, client, tenant
from tests.support.factories import NOON, encode_batch, record, send_now

BULK = "/rest/v2/groups"
JSON = "application/json"


async def test_a_check_lists_the_group_types(acme: Tenant) -> None:
    answer = await acme.destination.check()
    assert answer == "BlueConic at 127.0.0.1 accepts our credentials; group types: company, airport"


async def test_a_group_is_created_changed_and_deleted(acme: Tenant) -> None:
    assert await acme.states(record(data={"name": "Acme", "size": 42, "open": True})) == ["CREATED"]
    assert await acme.states(record(data={"name": "Acme", "size": 42, "open": True})) == ["UNCHANGED"]
    assert await acme.states(record(operation="update", data={"name": "Acme BV"})) == ["MODIFIED"]
    assert (await acme.values("/groups/company/c-1"))["name"] == ["Acme BV"]
    assert (await acme.values("/groups/company/c-1"))["size"] == ["42"]
    assert await acme.states(record(operation="delete")) == ["DELETED"]
    assert await acme.states(record(operation="delete")) == ["NOTFOUND"]
    assert await acme.states(record(operation="update", data={"name": "x"})) == ["NOTFOUND"]


async def test_each_rule_does_what_it_says(acme: Tenant) -> None:
    await acme.write(record(data={"tags": ["a", "b"], "visits": 1, "name": "Acme", "gone": "x"}))
    changes = {
        "tags": {"add": ["b", "c"]},
        "visits": {"increment": 2},
        "name": {"set_if_empty": "other"},
        "city": {"set_if_empty": "Nijmegen"},
        "gone": None,
    }
    assert await acme.states(record(operation="update", data=changes)) == ["MODIFIED"]
    values = await acme.values("/groups/company/c-1")
    assert (values["tags"], values["visits"], values["name"]) == (["a", "b", "c"], ["3"], ["Acme"])
    assert (values["city"], "gone" in values) == (["Nijmegen"], False)
    await acme.write(record(operation="update", data={"tags": {"remove": "a"}}))
    assert (await acme.values("/groups/company/c-1"))["tags"] == ["b", "c"]


async def test_one_bad_record_harms_only_itself(acme: Tenant) -> None:
    bad = record("group/compny", key="c-1")
    worse = record(key="c-2", data={"visits": {"increment": 1}})
    await acme.write(record(key="c-2", data={"visits": "many"}))
    outcomes = await acme.write(record(key="c-0", data={"name": "x"}), bad, worse)
    assert [(outcome.fate, outcome.code) for outcome in outcomes] == [
        ("delivered", "CREATED"),
        ("rejected", "UNKNOWN_GROUP_TYPE"),
        ("rejected", "SKIPPED"),
    ]
    assert "visits: " in outcomes[2].message


async def test_a_success_with_objections_is_delivered_with_a_warning() -> None:
    async with tenant(Settings(defined_properties=frozenset({"name"}))) as acme:
        (outcome,) = await acme.write(record(data={"name": "Acme", "nmae": "typo"}))
    assert (outcome.fate, outcome.code) == ("delivered", "CREATED")
    assert outcome.warning is not None
    assert outcome.warning.startswith("nmae: ")


async def test_awkward_text_arrives_as_it_is(acme: Tenant) -> None:
    text = 'a"b\\c\n\té😀\u2028\x00</script>'
    assert await acme.states(record(data={"name": text})) == ["CREATED"]
    assert (await acme.values("/groups/company/c-1"))["name"] == [text]
    assert await acme.states(record(key=text, data={"name": text})) == ["CREATED"]


async def test_a_thousand_are_written_at_once_and_results_stay_with_their_items(acme: Tenant) -> None:
    assert set(await acme.states(*companies(LIMITS.max_items))) == {"CREATED"}
    await acme.control.add_fault(ShuffleResults(path=BULK))
    events = [record(key=f"c-{row}", operation="update" if row % 3 else "delete") for row in range(1000)]
    assert await acme.states(*events) == ["UNCHANGED" if row % 3 else "DELETED" for row in range(1000)]


async def test_past_a_thousand_the_rest_is_sent_anew(acme: Tenant) -> None:
    states = await acme.states(*companies(1002))
    summary = await acme.control.summary()
    assert states == ["CREATED"] * 1000 + ["413"] * 2
    assert summary.changed == 1000


async def test_results_without_identifiers_and_in_any_order_find_their_items(acme: Tenant) -> None:
    await acme.write(*companies(10))
    await acme.control.add_fault(ShuffleResults(path=BULK))
    await acme.control.add_fault(OmitIdentifiers(path=BULK))
    events = [record(key=f"c-{row}", operation="delete" if row < 5 else "update") for row in range(10)]
    assert await acme.states(*events) == ["DELETED"] * 5 + ["UNCHANGED"] * 5


async def test_an_item_without_a_result_is_ambiguous_though_it_was_applied(acme: Tenant) -> None:
    await acme.control.add_fault(MissingResults(count=2, path=BULK))
    fates = [outcome.fate for outcome in await acme.write(*companies(10))]
    summary = await acme.control.summary()
    assert (fates.count(Fate.AMBIGUOUS), fates.count(Fate.DELIVERED), summary.changed) == (2, 8, 10)


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        pytest.param(DropBefore(path=BULK), Ambiguous, 0, id="dropped before applying"),
        pytest.param(DropAfter(path=BULK), Ambiguous, 1, id="dropped after applying"),
        pytest.param(Truncate(path=BULK, framing="length"), Ambiguous, 1, id="shorter than its length"),
        pytest.param(Truncate(path=BULK, framing="chunked"), Ambiguous, 1, id="chunks without an end"),
        pytest.param(Truncate(path=BULK, framing="complete"), Ambiguous, 1, id="whole, with half an array"),
        pytest.param(Status(path=BULK, status=500), Ambiguous, 0, id="500"),
        pytest.param(Status(path=BULK, status=502, body="<html>"), Ambiguous, 0, id="502 of a proxy"),
        pytest.param(Status(path=BULK, status=504), Ambiguous, 0, id="504"),
        pytest.param(Status(path=BULK, status=413, body="<h1>"), Ambiguous, 0, id="413 of a proxy"),
        pytest.param(Status(path=BULK, status=503, body="<h1>", times=None), Ambiguous, 0, id="503 of a proxy"),
        pytest.param(Status(path=BULK, status=404, body="404 page not found"), Ambiguous, 0, id="404 of an ingress"),
        pytest.param(StatusAfter(path=BULK, status=503, body="<h1>"), Ambiguous, 1, id="503 after applying"),
        pytest.param(StatusAfter(path=BULK, status=404, body="no"), Ambiguous, 1, id="404 after applying"),
        pytest.param(StatusAfter(path=BULK, status=405, body="no"), Ambiguous, 1, id="405 after applying"),
        pytest.param(StatusAfter(path=BULK, status=302, location="/"), Ambiguous, 1, id="302 after applying"),
        pytest.param(Garbage(path=BULK), Ambiguous, 1, id="garbage"),
        pytest.param(Endless(path=BULK), Ambiguous, 1, id="an answer without end"),
        pytest.param(Bomb(path=BULK), Ambiguous, 1, id="an answer that unpacks to 3 GiB"),
        pytest.param(Status(path=BULK, status=400, body='{"code":400}', content_type=JSON), Refused, 0, id="400"),
        pytest.param(Status(path=BULK, status=403), Unavailable, 0, id="403"),
        pytest.param(Status(path=BULK, status=503, retry_after_s=7), Unavailable, 0, id="503"),
        pytest.param(Status(path="/rest/v2/oauth", status=503), Unavailable, 0, id="no token for now"),
        pytest.param(DropBefore(path="/rest/v2/oauth"), Unavailable, 0, id="the token's answer is lost"),
        pytest.param(Outage(seconds=3600), Unavailable, 0, id="everything is dropped, the token first"),
    ],
)
async def test_an_increment_is_sent_once(acme: Tenant, fault: Standing, error: type[BatchError], applied: int) -> None:
    await acme.control.add_fault(fault)
    with pytest.raises(error):
        await acme.write(record(data={"visits": {"increment": 1}}))
    assert (await acme.control.summary()).changed == applied


async def test_a_write_on_a_connection_that_is_dropped_is_not_sent_again(acme: Tenant) -> None:
    await acme.write(record(data={"visits": 1}))
    await acme.control.add_fault(DropAfter(path=BULK))
    with pytest.raises(Ambiguous):
        await acme.write(record(data={"visits": {"increment": 1}}))
    assert (await acme.values("/groups/company/c-1"))["visits"] == ["2"]


async def test_a_lost_increment_is_looked_up_before_it_is_sent_again(acme: Tenant) -> None:
    long_ago_s = asyncio.get_running_loop().time() - 3600
    in_doubt = InDoubt(batch_id="b-1", refs={}, requested_at=NOON, lost_at_s=long_ago_s)
    lost = encode_batch(acme.destination, [record(data={"visits": {"increment": 1}})])
    await acme.control.add_fault(DropBefore(path=BULK))
    with pytest.raises(Ambiguous):
        await acme.destination.write(lost, send_now)
    assert [found async for _, found in acme.destination.recover(lost, in_doubt)] == [None]
    await acme.control.add_fault(DropAfter(path=BULK))
    with pytest.raises(Ambiguous):
        await acme.destination.write(lost, send_now)
    [outcome] = [found async for _, found in acme.destination.recover(lost, in_doubt)]
    assert outcome is not None
    assert outcome.fate == "ambiguous"
    assert (await acme.values("/groups/company/c-1"))["visits"] == ["1"]


async def _in_doubt(acme: Tenant, vendor_at: datetime | None) -> InDoubt:
    """A request that was lost as long ago as a proof takes, by the clocks of both sides."""
    proof_after_s = SETTINGS.settle_s + SETTINGS.read_lag_s
    await acme.control.advance(proof_after_s)
    lost_at_s = asyncio.get_running_loop().time() - proof_after_s
    return InDoubt(batch_id="b-1", refs={}, requested_at=NOON, lost_at_s=lost_at_s, vendor_at=vendor_at)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        pytest.param(DropBefore(path=BULK), None, id="lost before"),
        pytest.param(Status(path=BULK, status=503, body="<html>"), None, id="turned away by a proxy"),
        pytest.param(DropAfter(path=BULK), Fate.AMBIGUOUS, id="lost after"),
        pytest.param(StatusAfter(path=BULK, status=503, body="<html>"), Fate.AMBIGUOUS, id="a proxy's 503 after"),
        pytest.param(Garbage(path=BULK), Fate.AMBIGUOUS, id="garbage after"),
    ],
)
async def test_another_writer_finds_out_by_the_vendors_clock_alone(
    acme: Tenant, fault: Standing, found: Fate | None
) -> None:
    increment = [record(data={"visits": {"increment": 1}})]
    await acme.write(record(data={"visits": 1}))
    await acme.control.advance(10)
    await acme.destination.check()
    vendor_at = acme.destination.vendor_at
    await acme.control.add_fault(fault)
    with pytest.raises(Ambiguous):
        await acme.write(*increment)
    in_doubt = await _in_doubt(acme, vendor_at)
    async with client(acme.url) as other:
        [(_, outcome)] = [one async for one in other.recover(encode_batch(other, increment), in_doubt)]
    assert (outcome and outcome.fate) == found


async def test_a_look_up_that_an_ingress_answers_is_asked_again(acme: Tenant) -> None:
    lost = encode_batch(acme.destination, [record(data={"visits": {"increment": 1}})])
    await acme.control.add_fault(DropAfter(path=BULK))
    with pytest.raises(Ambiguous):
        await acme.destination.write(lost, send_now)
    in_doubt = await _in_doubt(acme, None)
    await acme.control.add_fault(Status(method="GET", status=404, body="404 page not found"))
    with pytest.raises(Unavailable):
        await anext(acme.destination.recover(lost, in_doubt))
    _, outcome = await anext(acme.destination.recover(lost, in_doubt))
    assert outcome is not None


async def test_cookies_are_not_sent_back(acme: Tenant) -> None:
    await acme.control.add_fault(Cookies(times=None, count=5))
    for _ in range(3):
        assert await acme.states(record(operation="delete")) == ["NOTFOUND"]


async def test_writes_that_are_reset_while_reads_work_are_seen(acme: Tenant) -> None:
    await acme.control.add_fault(DropBefore(method="PUT", times=None))
    with pytest.raises(Unavailable, match="reads get through and writes do not"):
        await acme.destination.check()


async def test_a_late_answer_is_ambiguous(acme: Tenant) -> None:
    await acme.control.add_fault(Stall(path=BULK, seconds=60))
    async with client(acme.url, timeout_s=0.2) as hasty:
        with pytest.raises(Ambiguous) as error:
            await hasty.write(encode_batch(hasty, [record()]), send_now)
    assert error.value.overloaded


async def test_too_many_requests_at_once_are_turned_away_unapplied() -> None:
    async with tenant(Settings(max_concurrent=1, retry_after_s=2)) as acme:
        await acme.destination.check()
        await acme.control.add_fault(Stall(path=BULK, seconds=0.2, times=None))
        events = [record(key="a"), record(key="b")]
        answers = await asyncio.gather(*(acme.write(event) for event in events), return_exceptions=True)
        changed = (await acme.control.summary()).changed
    (refused,) = (answer for answer in answers if isinstance(answer, BaseException))
    assert isinstance(refused, Unavailable)
    assert (refused.reason, refused.retry_after_s, refused.overloaded, changed) == ("429", 2.0, True, 1)


async def test_dead_tokens_are_renewed_once_for_all_requests(acme: Tenant) -> None:
    await acme.write(record())
    await acme.control.expire_tokens()
    events = [record(key=f"k-{row}") for row in range(3)]
    answers = await asyncio.gather(*(acme.write(event) for event in events))
    requests = (await acme.control.summary()).requests
    assert [outcome.code for (outcome,) in answers] == ["CREATED"] * 3
    assert requests["POST /rest/v2/oauth/token 200"] == 2


async def test_a_token_that_has_outlived_its_hour_is_renewed(acme: Tenant) -> None:
    await acme.write(record())
    await acme.control.advance(4000)
    assert await acme.states(record(operation="delete")) == ["DELETED"]


async def test_wrong_credentials_hold_traffic() -> None:
    async with tenant(secret="mistyped") as acme:
        with pytest.raises(Unavailable, match="gave no token but 401") as error:
            await acme.write(record())
        with pytest.raises(Unavailable):
            await acme.destination.check()
    assert error.value.reason == "auth"
    assert "mistyped" not in str(error.value)


async def test_missing_rights_hold_traffic() -> None:
    async with tenant(Settings(scopes=frozenset({"read:group-types"}))) as acme:
        await acme.destination.check()
        with pytest.raises(Unavailable, match="answered 403"):
            await acme.write(record())


async def test_a_scope_that_is_not_granted_holds_traffic() -> None:
    async with tenant(Settings(scopes=frozenset({"write:groups"})), scopes=("write:groups", "write:profiles")) as acme:
        with pytest.raises(Unavailable, match=r"400: not granted: write:profiles.*`scopes`$"):
            await acme.write(record())
        async with client(acme.url, scopes=("write:groups",)) as modest:
            (outcome,) = await modest.write(encode_batch(modest, [record()]), send_now)
    assert outcome.code == "CREATED"


async def test_a_group_with_personal_data_holds_traffic_without_the_right() -> None:
    async with tenant(Settings(pii_properties=frozenset({"passport"}))) as acme:
        with pytest.raises(Unavailable, match="answered 403") as error:
            await acme.write(record(data={"passport": "x"}), record(key="c-2"))
        changed = (await acme.control.summary()).changed
    assert (error.value.reason, changed) == ("auth", 0)


async def test_a_body_too_large_for_a_proxy_is_refused_as_a_whole() -> None:
    async with tenant(Settings(max_body_bytes=1000)) as acme:
        with pytest.raises(Refused) as error:
            await acme.write(*companies(20))
        assert error.value.code == "413"
        assert await acme.states(*companies(2)) == ["CREATED"] * 2


async def test_a_wrong_path_is_a_misconfiguration(acme: Tenant) -> None:
    async with client(f"{acme.url}/api") as lost:
        with pytest.raises(Unavailable, match="gave no token but 404"):
            await lost.write(encode_batch(lost, [record()]), send_now)
    await acme.control.add_fault(Status(path=BULK, status=404))
    with pytest.raises(Misconfigured, match="check `url`"):
        await acme.write(record())


async def test_the_examples_name_of_the_group_type_is_understood_too(acme: Tenant) -> None:
    settings = {"group_type_field": "groupType", "property_prefix": "{type}_", "domain_group": "nl"}
    async with client(acme.url, **settings) as other:
        (outcome,) = await other.write(encode_batch(other, [record(data={"name": "x"})]), send_now)
    assert outcome.code == "CREATED"
    assert (await acme.values("/groups/company/c-1"))["company_name"] == ["x"]
    assert (await acme.values("/groups/company/c-1"))["domaingroup"] == ["nl"]


async def test_increments_through_faults_add_up(acme: Tenant) -> None:
    """Count what was applied: each write that is not ambiguous once, each ambiguous one at most once."""
    applied, unknown = 0, 0
    faults: list[Standing | None] = [None, DropAfter(path=BULK), Status(path=BULK, status=429), DropBefore(path=BULK)]
    for fault in faults * 5:
        if fault is not None:
            await acme.control.add_fault(fault)
        try:
            await acme.write(record(data={"visits": {"increment": 1}}))
            applied += 1
        except Ambiguous:
            unknown += 1
        except Unavailable:
            pass
    (visits,) = (await acme.values("/groups/company/c-1"))["visits"]
    assert (applied, unknown) == (5, 10)
    assert applied <= int(visits) <= applied + unknown
    assert int(visits) == 10
