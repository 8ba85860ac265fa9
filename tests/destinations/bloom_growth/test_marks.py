"""Marks in notes: written, found again, and read only where that is safe."""

import httpx
import msgspec
import pytest

from sandbox.faults.fault import DropAfter, DropBefore
from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.bloom_growth.marks import Pads, mark_of
from sluice.destinations.bloom_growth.records import encode_record
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.bloom_growth.work import Create, decode_work
from sluice.destinations.contract import Ambiguous
from sluice.events import RecordEvent
from sluice.flow.batch import InDoubt
from sluice.flow.outcome import Fate
from sluice.setting_types import Secret
from tests.destinations.bloom_growth.offline import item_of
from tests.destinations.bloom_growth.tenant import MEETING, client, deliver, recover, tenant
from tests.support.factories import NOON, make_batch, make_item, record
from tests.support.fake_calls import FakeCalls
from tests.support.instant_clock import instantly, now_s

SETTINGS = BloomGrowthSettings(url="http://bloom.test", api_key=Secret("key"), marker="notes")


def todo(event_id: str, **data: object) -> RecordEvent:
    return record("todo", "insert", None, {"title": "Call", "meeting_id": MEETING, **data}, event_id=event_id)


def notes(event: RecordEvent) -> object:
    work = decode_work(encode_record(event, marks=True).body)
    assert isinstance(work, Create)
    return msgspec.json.decode(work.body).get("notes")


def test_a_mark_ends_the_notes_of_what_has_some() -> None:
    assert notes(todo("e-1")) == "[sluice e-1]"
    assert notes(todo("e-1", notes="Since May")) == "Since May\n\n[sluice e-1]"
    assert notes(record("goal", "insert", None, {"title": "A"}, event_id="e-1")) is None


@pytest.mark.parametrize("event_id", ["x" * 65, "a b", "e]", "ä\n"])
def test_an_awkward_event_id_has_a_digest_for_a_mark(event_id: str) -> None:
    assert len(mark_of(event_id)) == 32
    assert mark_of(event_id) == mark_of(event_id)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        pytest.param("https://notes.example/p/9", "https://notes.example/p/9/export/txt", id="another host"),
        pytest.param("http://bloom.test/p/9/", "http://bloom.test/p/9/export/txt", id="ours"),
        pytest.param("http://notes.example/p/9", None, id="in the clear"),
        pytest.param("https://10.0.0.7/p/9", None, id="an address"),
        pytest.param("https://localhost/p/9", None, id="an inner host"),
        pytest.param("file:///etc/passwd", None, id="a file"),
        pytest.param("https://[", None, id="no url"),
        pytest.param(None, None, id="none"),
    ],
)
async def test_notes_are_read_without_our_token_and_not_inside(url: str | None, asked: str | None) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, text="Since May\n\n[sluice e-1]\n")

    pads = Pads(SETTINGS, transport=httpx.MockTransport(answer))
    assert await pads.marks(url) == (frozenset() if asked is None else {"e-1"})
    assert [str(request.url) for request in requests] == ([] if asked is None else [asked])
    assert all("authorization" not in request.headers for request in requests)


@pytest.mark.parametrize("answer", [404, 302, 500, 429])
async def test_notes_that_cannot_be_read_have_no_marks(answer: int) -> None:
    pads = Pads(SETTINGS, transport=httpx.MockTransport(lambda _: httpx.Response(answer, text="[sluice e-1]")))
    assert await pads.marks("https://notes.example/p/9") == frozenset()


async def test_a_lost_create_is_adopted_by_its_mark_whatever_its_key() -> None:
    async with tenant(marker="notes") as acme:
        item = make_item(event=todo("e-1"), encoded=acme.destination.encode(todo("e-1"), "0-1"))
        await acme.control.add_fault(DropAfter(method="POST"))
        outcome = await deliver(acme.destination, item)
        assert (outcome.fate, outcome.code) == (Fate.DELIVERED, "adopted")


async def test_anothers_twin_is_told_from_ours_by_its_mark() -> None:
    """What ends as ambiguous without marks. rules_bloom_liquid_reads.md X2"""
    async with tenant(marker="notes") as acme, client(acme.url, marker="notes") as other:
        item = make_item(event=todo("e-1"), encoded=acme.destination.encode(todo("e-1"), "0-1"))
        refs = dict(acme.destination.newest_ids)
        await acme.control.add_fault(DropBefore(method="POST"))
        with pytest.raises(Ambiguous):
            await acme.destination.write_item(item, FakeCalls(item))
        await deliver(other, make_item(event=todo("e-2"), encoded=other.encode(todo("e-2"), "0-2")))
        assert await recover(acme.destination, item, refs) is None
        # One without a mark may be anybody's.
        await deliver(other, item_of(todo("e-3")))
        found = await recover(acme.destination, item, refs)
        assert found is not None
        assert found.fate is Fate.AMBIGUOUS


@pytest.mark.parametrize(
    ("event_ids", "texts"),
    [
        pytest.param(["e-1"], ["[sluice e-1]", "[sluice e-1]"], id="a person has copied the record"),
        pytest.param(["e-1", "e-2"], ["[sluice e-1] [sluice e-2]"], id="notes of both in one"),
        pytest.param(["e-1", "e-1"], ["[sluice e-1]"], id="an event twice"),
    ],
)
@instantly
async def test_marks_that_contradict_each_other_prove_nothing(event_ids: list[str], texts: list[str]) -> None:
    """And each item has one verdict: with two the writer would end."""

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.host == "notes.example":
            return httpx.Response(200, text=texts[int(request.url.path.split("/")[2]) - 101])
        if request.url.path.endswith("users/mine"):
            return httpx.Response(200, json={"Id": 1, "Name": "Alex"})
        rows = [
            {"Id": 101 + at, "Name": "Late trucks", "DetailsUrl": f"https://notes.example/p/{101 + at}"}
            for at in range(len(texts))
        ]
        return httpx.Response(200, json=rows)

    data = {"title": "Late trucks", "meeting_id": 12}
    events = [record("issue", "insert", None, data, event_id=one) for one in event_ids]
    items = [item_of(event, key=b"12", row=row) for row, event in enumerate(events)]
    in_doubt = InDoubt(batch_id="b", refs={"issue": "100"}, requested_at=NOON, lost_at_s=now_s())
    destination = BloomGrowth(SETTINGS, transport=httpx.MockTransport(respond))
    found = [one async for one in destination.recover(make_batch(items), in_doubt)]
    assert [item.row for item, _ in found] == list(range(len(items)))
    assert [None if outcome is None else outcome.fate for _, outcome in found] == [Fate.AMBIGUOUS] * len(items)
