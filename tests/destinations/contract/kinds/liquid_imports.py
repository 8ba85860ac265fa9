"""Liquid Decisions where batches are imported, by jobs that say nothing of single records."""

from tests.destinations.contract.liquid import API, LOGIN, SandboxedLiquid
from tests.destinations.contract.sandboxed_kind import TO, Verb
from tests.support.stage import Message, record

FORM_BYTES = 1024


class SandboxedImports(SandboxedLiquid):
    """Accounts that are merged by imports; one whose submit is lost is taken for dead soon.

    Nothing that is imported is unsafe to repeat: creates are upserted.
    """

    name = "liquid_imports"
    account = SandboxedLiquid.account_with(
        types={"Account": {"key_fields": ["accountId"], "write": "import"}},
        lost_after_s=1.0,
        import_timeout_s=TO["timeout_s"],
    )
    verbs = (
        LOGIN,
        Verb("newest", rf"POST {API}/data/sqlQuery", "ask", says=b"MAX"),
        Verb("import", rf"POST {API}/batch/import", "write", has_items=True, doubt="if it arrived"),
        Verb("status", rf"POST {API}/batch/status", "ask"),
        Verb("feed", rf"POST {API}/items/updates", "ask"),
    )
    runs_jobs = True
    has_unsafe = False
    lists_jobs = False

    def insert(self, key: str) -> Message:
        """Make a record with a value of its own, which is applied once where nothing else is written."""
        return record(key, object="Account", value=1)

    def framing_bytes(self, items: int) -> int:
        return FORM_BYTES


KIND = SandboxedImports()
