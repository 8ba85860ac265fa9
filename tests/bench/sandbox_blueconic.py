"""Entries a second that the BlueConic sandbox takes and answers; each must have its result."""

from functools import partial

import httpx

from tests.bench.vendor import Row, Served, client, json_bodies, served_on_own_core

ENTRIES = 300_000
ENTRIES_PER_REQUEST = 1_000
"""As many as one request may bring, §6 of the wire document."""
MIN_ENTRIES_PER_S = 10_000


def figures() -> list[Row]:
    """Measure groups that are new, and the same groups with one value changed."""
    with served_on_own_core("blueconic") as served:
        form = {"grant_type": "client_credentials", **served.credentials}
        with client(served, "/rest/v2/oauth/token", form) as http:
            rows = _measure(served, http, "new", visits=1, state=b"CREATED")
            rows += _measure(served, http, "changed", visits=2, state=b"MODIFIED")
        stored = f"{ENTRIES:,} groups and {2 * ENTRIES:,} ledger entries"
        return [*rows, (stored, f"{served.resident_gib():.2f} GiB resident", "")]


def _measure(served: Served, http: httpx.Client, what: str, *, visits: int, state: bytes) -> list[Row]:
    def send(body: bytes) -> None:
        content = http.put("/rest/v2/groups", content=body, headers={"content-type": "application/json"}).content
        if content.count(b'"state":"%s"' % state) != ENTRIES_PER_REQUEST:
            raise RuntimeError(f"expected {ENTRIES_PER_REQUEST} results {state!r}, got {content[:200]!r}")

    cost = served.cost_of(send, json_bodies(partial(_entry, visits=visits), ENTRIES, ENTRIES_PER_REQUEST))
    budget = MIN_ENTRIES_PER_S
    return cost.rows(f"PUT /groups, {what} groups", ENTRIES, "entries", core_budget=budget, clock_budget=budget)


def _entry(number: int, *, visits: int) -> dict[str, object]:
    """Six short properties, as a company has them."""
    values = {
        "company_name": f"Company number {number}",
        "company_city": "Amsterdam",
        "company_email": f"sales@company{number}.example",
        "company_nr_of_employees": str(number % 1000),
        "company_is_customer": "true" if number % 2 else "false",
        "company_visits": str(visits),
    }
    return {
        "groupTypeId": "company",
        "groupId": f"company-{number:08d}",
        "strategy": "UPSERT",
        "identifier": f"{visits}-{number}",
        "properties": [{"id": name, "values": [value], "strategy": "SET"} for name, value in values.items()],
    }
