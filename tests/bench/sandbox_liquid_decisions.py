"""Items a second that the Liquid Decisions sandbox takes, one request after the other as from the vendor's scripts."""

from tests.bench.vendor import Row, client, json_bodies, served_on_own_core

ITEMS = 1_000_000
ITEMS_PER_REQUEST = 500
"""The wire document's default for clients, §12."""
MIN_ITEMS_PER_S = 20_000
MAX_RESIDENT_GIB = 1.0


def figures() -> list[Row]:
    """Measure upserts of new items, and the memory that these take."""
    with served_on_own_core("liquid-decisions") as served:
        form = {
            "grant_type": "password",
            "username": served.credentials["username"],
            "password": served.credentials["password"],
            "scope": f"community={served.credentials['community']}",
        }
        with client(served, "/ls/api/oauth2/token", form) as http:
            http.headers["content-type"] = "application/json"
            cost = served.cost_of(
                lambda body: http.post("/ls/api/items/upsert", content=body).raise_for_status(),
                json_bodies(_item, ITEMS, ITEMS_PER_REQUEST),
            )
        memory = f"{served.resident_gib():.2f} GiB resident"
    return [
        *cost.rows("upsert of new items", ITEMS, "items", core_budget=MIN_ITEMS_PER_S),
        (f"{ITEMS:,} items stored", memory, f"≤ {MAX_RESIDENT_GIB:g} GiB"),
    ]


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
