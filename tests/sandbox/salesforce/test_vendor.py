"""Answers that all calls of the org share. salesforce_bulk.md §3.1, §4.3, §13."""

import pytest

from sandbox.salesforce.faults import Moved
from tests.sandbox.salesforce.login.client import ask, between, envelope, post
from tests.sandbox.salesforce.orgs import CLIENT, CONTACTS, INGEST, LIMITS, Served, error_of


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


@pytest.mark.parametrize("status", [301, 302])
async def test_an_org_that_has_moved_sends_data_calls_to_its_new_address(salesforce: Served, status: int) -> None:
    """§13.16"""
    new = salesforce.url.replace("127.0.0.1", "localhost")
    await salesforce.control.add_fault(Moved(location=new, status=status))  # type: ignore[arg-type]
    answer = await salesforce.http.get(f"{INGEST}?jobType=V2Ingest")
    assert answer.status_code == status
    assert answer.headers["location"] == f"{new}{INGEST}?jobType=V2Ingest"
    there = await salesforce.http.get(answer.headers["location"])
    assert there.status_code == 200


async def test_a_login_names_the_address_that_an_org_has_moved_to(salesforce: Served) -> None:
    new = salesforce.url.replace("127.0.0.1", "localhost")
    await salesforce.control.add_fault(Moved(location=new))
    token = (await ask(salesforce, {"grant_type": "client_credentials", **CLIENT})).json()
    assert token["instance_url"] == new
    assert between((await post(salesforce, envelope())).text, "serverUrl").startswith(f"{new}/services/Soap")


async def test_a_login_may_go_on_naming_the_old_address(salesforce: Served) -> None:
    await salesforce.control.add_fault(Moved(location="http://localhost:1", login_names_it=False))
    token = (await ask(salesforce, {"grant_type": "client_credentials", **CLIENT})).json()
    assert token["instance_url"] == salesforce.url
