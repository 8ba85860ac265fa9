"""Items a second that the Liquid Decisions sandbox takes, one request after the other as from the vendor's scripts.

An import is submitted and polled to its end; the feed is read to an empty page.
"""

import time

import httpx

from tests.bench.vendor import Cost, Row, Served, client, json_bodies, served_on_own_core

ITEMS = 1_000_000
ITEMS_PER_REQUEST = 500
RECORDS_PER_IMPORT = 50_000
"""The wire document's defaults for clients, §12."""
IMPORTS = 4
ITEMS_PER_PAGE = 1000
"""The sandbox's ceiling, §5."""
MIN_ITEMS_PER_S = 20_000
MAX_RESIDENT_GIB = 1.0
_POLL_S = 0.05


def figures() -> list[Row]:
    """Measure upserts of new items and the memory that these take; then imports of some again, and the feed of all."""
    with served_on_own_core("liquid-decisions") as served:
        form = {
            "grant_type": "password",
            "username": served.credentials["username"],
            "password": served.credentials["password"],
            "scope": f"community={served.credentials['community']}",
        }
        with client(served, "/ls/api/oauth2/token", form) as http:
            upserts = _upserts(served, http)
            memory = f"{served.resident_gib():.2f} GiB resident"
            files = json_bodies(_item, IMPORTS * RECORDS_PER_IMPORT, RECORDS_PER_IMPORT)
            imports = served.cost_of(lambda file: _import(http, file), files)
            feed = served.cost_of(lambda _: _read_feed(http), [None])
    return [
        *upserts.rows("upsert of new items", ITEMS, "items", core_budget=MIN_ITEMS_PER_S),
        (f"{ITEMS:,} items stored", memory, f"≤ {MAX_RESIDENT_GIB:g} GiB"),
        *imports.rows(
            f"import of {RECORDS_PER_IMPORT:,} that are there",
            IMPORTS * RECORDS_PER_IMPORT,
            "records",
            core_budget=MIN_ITEMS_PER_S,
        ),
        *feed.rows(f"updates in pages of {ITEMS_PER_PAGE:,}", ITEMS, "items"),
    ]


def _upserts(served: Served, http: httpx.Client) -> Cost:
    json_type = {"content-type": "application/json"}
    return served.cost_of(
        lambda body: http.post("/ls/api/items/upsert", content=body, headers=json_type).raise_for_status(),
        json_bodies(_item, ITEMS, ITEMS_PER_REQUEST),
    )


def _import(http: httpx.Client, file: bytes) -> None:
    form = {"jobName": "bench", "itemType": "Account", "contentType": "application/json", "merge": "True"}
    job = http.post("/ls/api/batch/import", data=form, files={"file": ("items.json", file)}).raise_for_status().json()
    while job["status"] != "Completed":
        time.sleep(_POLL_S)
        job = http.post("/ls/api/batch/status", data={"jobId": job["jobId"]}).raise_for_status().json()
    assert job["recordsProcessed"] == str(RECORDS_PER_IMPORT), job


def _read_feed(http: httpx.Client) -> None:
    items, form = 0, {"itemType": "Account", "max": str(ITEMS_PER_PAGE)}
    while True:
        page = http.post("/ls/api/items/updates", data=form).raise_for_status().json()
        if not page["items"]:
            break
        items += len(page["items"])
        form |= {"processedAfter": str(page["maxProcessedAt"]), "lastId": page["lastId"]}
    assert items == ITEMS, items


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
