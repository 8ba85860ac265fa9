"""`python -m tests.bench.sandbox_liquid_decisions`: how fast the sandbox takes items, and in what memory.

The sandbox has a process and a core of its own. Bodies are made beforehand, so that the client costs little; they are
sent one after the other, as the vendor's own scripts do.
"""

import http.client
import json
import time
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

from tests.bench.figures import show_figures
from tests.bench.own_core import Served, served_on_own_core

ITEMS = 1_000_000
ITEMS_PER_REQUEST = 500
"""The wire document's default for clients, §12."""
MIN_ITEMS_PER_S = 20_000
MAX_RESIDENT_GIB = 1.0
_BASE = "/ls/api"


def figures() -> list[tuple[str, str, str]]:
    """What, measured, budget."""
    with served_on_own_core("liquid-decisions") as served:
        connection = http.client.HTTPConnection(urlsplit(served.url).netloc)
        headers = {"authorization": f"Bearer {_token(connection, served)}", "content-type": "application/json"}
        busy_before_s = served.busy_s()
        waited_s = 0.0
        for body in _bodies():
            started = time.perf_counter()
            _post(connection, f"{_BASE}/items/upsert", body, headers)
            waited_s += time.perf_counter() - started
        busy_s = served.busy_s() - busy_before_s
        resident_gib = served.resident_gib()
    return [
        ("upsert of new items", f"{ITEMS / busy_s:,.0f} items/CPU s", f"≥ {MIN_ITEMS_PER_S:,}"),
        ("the same by the clock", f"{ITEMS / waited_s:,.0f} items/s", ""),
        (f"{ITEMS:,} items stored", f"{resident_gib:.2f} GiB resident", f"≤ {MAX_RESIDENT_GIB:g} GiB"),
    ]


def _bodies() -> Iterator[bytes]:
    for first in range(0, ITEMS, ITEMS_PER_REQUEST):
        yield json.dumps([_item(number) for number in range(first, first + ITEMS_PER_REQUEST)]).encode()


def _item(number: int) -> dict[str, object]:
    """Six short fields, as an account has them."""
    return {
        "headers": {"category": "entity", "type": "Account", "action": "Merge"},
        "data": {
            "accountId": f"ACC{number:08d}",
            "name": f"Company number {number}",
            "city": "Amsterdam",
            "email": f"sales@company{number}.example",
            "exposure": number / 4,
            "creditBlock": number % 2 == 0,
        },
    }


def _token(connection: http.client.HTTPConnection, served: Served) -> str:
    form = {
        "grant_type": "password",
        "username": served.credentials["username"],
        "password": served.credentials["password"],
        "scope": f"community={served.credentials['community']}",
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    granted = json.loads(_post(connection, f"{_BASE}/oauth2/token", urlencode(form).encode(), headers))
    return str(granted["access_token"])


def _post(connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    connection.request("POST", path, body=body, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"expected 200, got {answer.status}: {content[:200]!r}")
    return content


if __name__ == "__main__":
    show_figures({"liquid-decisions": figures()})
