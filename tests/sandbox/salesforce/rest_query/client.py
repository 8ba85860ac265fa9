"""Calls of the REST query API of an org in this process."""

from typing import Any

import httpx

from tests.sandbox.salesforce.orgs import Served

DATA = "/services/data/v59.0"


async def ask(served: Served, soql: str, name: str = "query") -> httpx.Response:
    return await served.http.get(f"{DATA}/{name}", params={"q": soql})


async def find(served: Served, soql: str, name: str = "query") -> dict[str, Any]:
    answer = await ask(served, soql, name)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    found: dict[str, Any] = answer.json()
    return found
