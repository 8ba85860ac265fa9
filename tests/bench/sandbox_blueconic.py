"""`python -m tests.bench.sandbox_blueconic`: how many entries a second the sandbox takes and answers, on one core.

The sandbox has a process and a core of its own. Bodies are made beforehand, so that the client costs little; every
answer is read whole and must have a result for each entry.
"""

import http.client
import json
import time
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import psutil

from tests.bench.figures import show_figures
from tests.bench.own_core import Served, served_on_own_core

ENTRIES = 300_000
ENTRIES_PER_REQUEST = 1_000
"""As many as one request may bring, §6 of the wire document."""
MIN_ENTRIES_PER_S = 10_000
_BASE = "/rest/v2"


def figures() -> list[tuple[str, str, str]]:
    """What, measured, budget: groups that are new, and the same groups with one value changed."""
    with served_on_own_core("blueconic") as served:
        connection = http.client.HTTPConnection(urlsplit(served.url).netloc)
        token = _token(connection, served)
        created = _rows("PUT /groups, new groups", served, connection, token, visits=1)
        modified = _rows("PUT /groups, changed groups", served, connection, token, visits=2)
        resident_gib = psutil.Process(served.process_id).memory_info().rss / 2**30
    stored = f"{ENTRIES:,} groups and {2 * ENTRIES:,} ledger entries"
    return [*created, *modified, (stored, f"{resident_gib:.2f} GiB resident", "")]


def _rows(
    what: str, served: Served, connection: http.client.HTTPConnection, token: str, *, visits: int
) -> list[tuple[str, str, str]]:
    """By the sandbox's own CPU time, which does not count who shares the machine, and by the clock."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    state = "CREATED" if visits == 1 else "MODIFIED"
    busy_before_s = _busy_s(served)
    waited_s = 0.0
    for body in _bodies(visits):
        started_s = time.perf_counter()
        content = _send(connection, "PUT", f"{_BASE}/groups", body, headers)
        waited_s += time.perf_counter() - started_s
        if content.count(b'"state":"%s"' % state.encode()) != ENTRIES_PER_REQUEST:
            raise RuntimeError(f"expected {ENTRIES_PER_REQUEST} results {state}, got {content[:200]!r}")
    busy_s = _busy_s(served) - busy_before_s
    return [
        (what, f"{ENTRIES / busy_s:,.0f} entries/CPU s", f"≥ {MIN_ENTRIES_PER_S:,}"),
        ("the same by the clock", f"{ENTRIES / waited_s:,.0f} entries/s", f"≥ {MIN_ENTRIES_PER_S:,}"),
    ]


def _busy_s(served: Served) -> float:
    times = psutil.Process(served.process_id).cpu_times()
    return float(times.user + times.system)


def _bodies(visits: int) -> Iterator[bytes]:
    for first in range(0, ENTRIES, ENTRIES_PER_REQUEST):
        yield json.dumps([_entry(number, visits) for number in range(first, first + ENTRIES_PER_REQUEST)]).encode()


def _entry(number: int, visits: int) -> dict[str, object]:
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


def _token(connection: http.client.HTTPConnection, served: Served) -> str:
    form = urlencode({"grant_type": "client_credentials", **served.credentials}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    granted = json.loads(_send(connection, "POST", f"{_BASE}/oauth/token", form, headers))
    return str(granted["access_token"])


def _send(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]
) -> bytes:
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"expected 200, got {answer.status}: {content[:200]!r}")
    return content


if __name__ == "__main__":
    show_figures({"blueconic": figures()})
