"""Answers that all calls of the org share. salesforce_bulk.md §3.1, §4.3."""

from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, LIMITS, Served, error_of


async def test_another_method_is_405(salesforce: Served) -> None:
    assert error_of(await salesforce.http.put(INGEST)) == (405, "METHOD_NOT_ALLOWED")


async def test_another_path_is_404(salesforce: Served) -> None:
    assert error_of(await salesforce.http.get("/services/data/v59.0/foo")) == (404, "NOT_FOUND")


async def test_every_answer_tells_the_usage(salesforce: Served) -> None:
    answers = [await salesforce.http.get(LIMITS) for _ in range(2)]
    assert [one.headers["sforce-limit-info"] for one in answers] == ["api-usage=1/1000000", "api-usage=2/1000000"]


async def test_results_are_compressed_for_who_takes_it(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    path = f"{INGEST}/{job}/successfulResults"
    packed = await salesforce.http.get(path, headers={"accept-encoding": "gzip"})
    plain = await salesforce.http.get(path, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text


async def test_reset_leaves_an_org_as_new(salesforce: Served) -> None:
    await salesforce.load(CONTACTS)
    await salesforce.control.reset()
    state = await salesforce.control.state()
    assert (state["jobs"], state["sessions"]) == (0, 0)
    assert state["records"] == {name: 3 if name == "User" else 0 for name in dict(state["records"])}  # type: ignore[call-overload]
