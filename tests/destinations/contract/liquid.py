"""What both ways to Liquid Decisions have in common: the community, its accounts, and what was applied to them."""

from typing import Any, ClassVar

from sandbox.ledger.ledger import LedgerFilter
from sandbox.liquid_decisions.faults import HoldJobs
from sandbox.liquid_decisions.settings import Settings, User
from sandbox.liquid_decisions.vendor import LiquidDecisions
from sluice.destinations import liquid_decisions
from sluice.destinations.contract import Kind
from tests.destinations.contract.sandboxed_kind import SandboxedKind, Verb
from tests.support.stage import Message, record

API = "/ls/api"
LOGIN = Verb("token", rf"POST {API}/oauth2/token", "log in")
COMMUNITY = "ACME"
OVER = ("Completed", "Rejected", "Canceled", "Failed")


class SandboxedLiquid(SandboxedKind):
    """A community whose accounts are merged by their id."""

    secrets = (User().password, Settings().client_secret)
    rejected = "InvalidField"
    type_settings: ClassVar[dict[str, Any]]

    @classmethod
    def account_with(cls, **settings: Any) -> dict[str, Any]:
        """Return the account with more ``settings``."""
        return {
            "kind": "liquid_decisions",
            "username": User().user_id,
            "password": User().password,
            "client_id": Settings().client_id,
            "client_secret": Settings().client_secret,
            "community": COMMUNITY,
            **settings,
        }

    @property
    def kind(self) -> Kind:
        return liquid_decisions.KIND

    def stand_in(self) -> LiquidDecisions:
        return LiquidDecisions()

    def upsert(self, key: str, value: int) -> Message:
        return record(key, object="Account", value=value)

    def bad(self, key: str) -> Message:
        return record(key, object="Account", h_value=1)

    def times_applied(self, vendor: LiquidDecisions, key: str) -> int:
        return len(list(vendor.ledger.entries(LedgerFilter(key=key, changed=True))))

    def value(self, vendor: LiquidDecisions, key: str) -> int | None:
        row = vendor.communities[COMMUNITY].database.tables["Account"].find(key)
        return int(row.fields["value"]) if row else None

    def count_items(self, body: bytes) -> int:
        return body.count(b'{"headers":')

    def hold_jobs(self, vendor: LiquidDecisions) -> None:
        vendor.faults.add(HoldJobs(times=None))

    def release_jobs(self, vendor: LiquidDecisions) -> None:
        vendor.faults.clear()
        vendor.jobs.release(vendor.jobs)

    def jobs_waiting(self, vendor: LiquidDecisions) -> int:
        return sum(job.status not in OVER for job in vendor.jobs)
