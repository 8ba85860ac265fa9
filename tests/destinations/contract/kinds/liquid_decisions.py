"""Liquid Decisions where batches are upserted, each with the rejects in its answer."""

from tests.destinations.contract.liquid import API, LOGIN, SandboxedLiquid
from tests.destinations.contract.sandboxed_kind import Verb
from tests.support.stage import Message, record


class SandboxedUpserts(SandboxedLiquid):
    """Accounts that are created, which must not be done twice, and merged."""

    name = "liquid_decisions"
    account = SandboxedLiquid.account_with(types={"Account": {"key_fields": ["accountId"]}})
    verbs = (
        LOGIN,
        Verb("upsert", rf"POST {API}/items/upsert", "write", has_items=True),
        Verb("read", rf"POST {API}/data/sqlQuery", "look up"),
    )
    refused = "400"

    def insert(self, key: str) -> Message:
        return record(key, object="Account", operation="insert", value=1)

    def spoiler(self, key: str) -> Message:
        """Make an account with JSON that is no number which fits."""
        event = record(key, object="Account", amount=17)
        assert event.value
        return event._replace(value=event.value.replace(b":17}", b":1e999}"))

    def framing_bytes(self, items: int) -> int:
        return len("[]")


KIND = SandboxedUpserts()
