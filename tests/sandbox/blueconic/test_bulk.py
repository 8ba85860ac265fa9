"""Behaviour that both bulk calls share, as in blueconic.md §3, §6 and §7."""

import pytest

from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import Tenant, group, tenant


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(b"[{", "body", id="§7 400: body not JSON"),
        pytest.param(b"", "body", id="§7 400: no body"),
        pytest.param(b'{"groupId":"g"}', "body", id="§7 400: not an array"),
        pytest.param(b"[1]", "[0]", id="§7 400: an entry not an object"),
        pytest.param(b'[{},{"groupId":7}]', "[1].groupId", id="§7 400: a field of the wrong JSON type"),
        pytest.param(b'[{"identifier":null}]', "[0].identifier", id="§7 400: null is not a string"),
        pytest.param(
            b'[{"properties":[{"id":"p","values":[42]}]}]',
            "[0].properties[0].values[0]",
            id="§7 400: values are always strings",
        ),
        pytest.param(b'[{"strategy":"MERGE"}]', "[0].strategy", id="§7 400: an unknown strategy"),
        pytest.param(b'[{"properties":[{"strategy":"X"}]}]', "[0].properties[0].strategy", id="§7 400: unknown rule"),
        pytest.param(b'[{"surprise":' + b"[" * 100_000, "body", id="§7 400: nested too deeply"),
        pytest.param(b'[{"groupId":"\xff"}]', "body", id="§7 400: not UTF-8"),
    ],
)
async def test_a_malformed_request_is_a_400_that_names_the_field(blueconic: Tenant, body: bytes, field: str) -> None:
    answer = await blueconic.http.put("/groups", content=body)
    assert answer.status_code == 400
    refusal = answer.json()
    assert (refusal["code"], refusal["message"]) == (400, "Bad Request")
    assert refusal["errors"][0]["field"] == field


async def test_nothing_of_a_malformed_request_is_applied(blueconic: Tenant) -> None:
    await blueconic.http.put("/groups", json=[group("g"), 1])
    assert (await blueconic.http.get("/groups/company/g")).status_code == 404
    assert await blueconic.control.ledger() == []


async def test_an_empty_array_is_answered_with_one(blueconic: Tenant) -> None:
    assert (await blueconic.http.put("/groups", content=b"[]")).text == "[]"


async def test_a_compressed_request_is_a_415(blueconic: Tenant) -> None:
    answer = await blueconic.http.put("/groups", content=b"[]", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


async def test_more_than_1000_entries_are_a_413_with_the_results_of_the_first_1000(blueconic: Tenant) -> None:
    entries = [group(f"g{index}") for index in range(1001)]
    answer = await blueconic.http.put("/groups", json=entries)
    results = answer.json()
    assert (answer.status_code, len(results), results[-1]["groupId"]) == (413, 1000, "g999")
    assert (await blueconic.http.get("/groups/company/g999")).status_code == 200
    assert (await blueconic.http.get("/groups/company/g1000")).status_code == 404


async def test_a_proxys_byte_cap_is_a_413_without_an_array_and_applies_nothing() -> None:
    async with tenant(Settings(max_body_bytes=100)) as capped:
        answer = await capped.http.put("/groups", json=[group("g", p="x" * 100)])
        assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html")
        assert (await capped.http.get("/groups/company/g")).status_code == 404


async def test_answers_are_gzipped_for_who_accepts_it(blueconic: Tenant) -> None:
    plain = await blueconic.http.put("/groups", json=[group("g")], headers={"accept-encoding": "identity"})
    packed = await blueconic.http.put("/groups", json=[group("g")], headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()[0]["state"] == "UNCHANGED"


async def test_pretty_print_indents_the_answer_of_any_call(blueconic: Tenant) -> None:
    written = await blueconic.http.put("/groups?prettyPrint=true", json=[group("g")])
    read = await blueconic.http.get("/groups/company?prettyPrint=true")
    assert (written.text[:6], read.text[:4]) == ("[\n  {\n", "{\n  ")


async def test_more_than_1000_profiles_are_a_413_with_the_first_1000(blueconic: Tenant) -> None:
    answer = await blueconic.http.put("/profiles", json=[{"strategy": "UPSERT"}] * 1001)
    assert (answer.status_code, len(answer.json())) == (413, 1000)
    assert (await blueconic.control.state())["profiles"] == 1000
