"""BlueConic, which answers a write with the outcome of each item."""

from sandbox.blueconic.vendor import BlueConic
from sandbox.ledger.ledger import LedgerFilter
from sandbox.vendor import Vendor
from sluice.destinations import blueconic
from sluice.destinations.contract import Kind
from tests.destinations.contract.sandboxed_kind import SandboxedKind, Verb
from tests.support.stage import BLUECONIC, Message, record


class SandboxedBlueConic(SandboxedKind):
    """A tenant whose groups are upserted; what must not be applied twice is an increment."""

    name = "blueconic"
    account = BLUECONIC.account
    secrets = ("sandbox-secret",)
    verbs = (
        Verb("token", r"POST /rest/v2/oauth/token", "log in"),
        Verb("write", r"PUT /rest/v2/(groups|profiles)", "write", has_items=True, doubt="if it arrived"),
        Verb("read", r"GET /rest/v2/groups/company/.*", "look up", at_once=5),
    )
    rejected = "UNKNOWN_GROUP_TYPE"
    refused = "400"
    in_doubt = frozenset({"no-answer"})

    @property
    def kind(self) -> Kind:
        return blueconic.KIND

    def stand_in(self) -> Vendor:
        return BlueConic()

    def upsert(self, key: str, value: int) -> Message:
        return record(key, value=value)

    def insert(self, key: str) -> Message:
        return record(key, count={"increment": 1})

    def bad(self, key: str) -> Message:
        return record(key, object="group/nowhere")

    def spoiler(self, key: str) -> Message:
        """Make a timeline event with JSON that is no number which fits; events share a request with profiles."""
        event = record({"profileId": key, "id": key}, object="timeline/order", amount=17)
        assert event.value
        return event._replace(value=event.value.replace(b":17}", b":1e999}"))

    def mate(self, key: str) -> Message:
        return record(key, object="profile", value=1)

    def times_applied(self, vendor: BlueConic, key: str) -> int:
        return len(list(vendor.ledger.entries(LedgerFilter(key=key, changed=True))))

    def value(self, vendor: BlueConic, key: str) -> int | None:
        group = vendor._groups.tables["company"].get(key)
        return int(group.values["value"][0]) if group else None

    def count_items(self, body: bytes) -> int:
        return body.count(b'{"identifier":')

    def framing_bytes(self, items: int) -> int:
        return len("[]")


KIND = SandboxedBlueConic()
