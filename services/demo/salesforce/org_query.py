"""Questions to the org itself, in its own query language."""

import httpx

from demo.processes import Sandbox


async def count_records(vendor: Sandbox, query: str) -> int:
    """Return the answer to a ``SELECT COUNT()``. Raises ``httpx.HTTPError``."""
    async with httpx.AsyncClient(base_url=vendor.url, trust_env=False) as http:
        login = {"client_id": vendor.client_id, "client_secret": vendor.client_secret}
        answer = await http.post("/services/oauth2/token", data={"grant_type": "client_credentials", **login})
        token = answer.raise_for_status().json()["access_token"]
        found = await http.get(
            "/services/data/v59.0/query",
            params={"q": query},
            headers={"Authorization": f"Bearer {token}"},
        )
        return int(found.raise_for_status().json()["totalSize"])
