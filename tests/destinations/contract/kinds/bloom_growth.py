"""Bloom Growth, which takes one record a call."""

from functools import cached_property
from itertools import count

from sandbox.bloom_growth.rows import Issue
from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.vendor import BloomGrowth
from sandbox.ledger.ledger import LedgerFilter
from sandbox.vendor import Vendor
from sluice.destinations import bloom_growth
from sluice.destinations.contract import Kind
from tests.destinations.contract.sandboxed_kind import SandboxedKind, Verb
from tests.support.stage import Message, record

MEETING, ME = 12, 1
SETTINGS = Settings(requests_per_second=None, meeting_ids=(MEETING,), user_ids=(ME,))
MAX_KEYS = 3000


class SandboxedBloomGrowth(SandboxedKind):
    """A user whose issues are renamed; what must not be applied twice is a new issue.

    Each key of a test is that of an issue which is there from the start, because ids cannot be chosen.
    """

    name = "bloom_growth"
    account = {  # noqa: RUF012  # never changed
        "kind": "bloom_growth",
        "user_name": SETTINGS.user_name,
        "password": SETTINGS.password,
        "namesakes": "none",
        "fresh_token_s": 0,
    }
    secrets = (SETTINGS.password,)
    verbs = (
        Verb("token", r"POST /Token", "log in"),
        Verb("write", r"(POST /api/v1/issues/create|PUT /api/v1/issues/\d+)", "write", has_items=True, at_once=5),
        Verb("list", rf"GET /api/v1/L10/{MEETING}/issues.*", "look up"),
    )
    rejected = "404"
    in_doubt = frozenset({"no-answer"})

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._count = count()

    @property
    def kind(self) -> Kind:
        return bloom_growth.KIND

    def stand_in(self) -> Vendor:
        return self._made()[0]

    def _made(self) -> tuple[BloomGrowth, int]:
        vendor = BloomGrowth(SETTINGS)
        tenant = vendor._tenant
        ids = [
            tenant.add(
                tenant.issues,
                Issue(title="-1", owner_id=ME, created_at="2026-01-05T10:00:00Z", notes="", meeting_id=MEETING),
            )
            for _ in range(MAX_KEYS)
        ]
        return vendor, ids[0]

    @cached_property
    def _first_id(self) -> int:
        return self._made()[1]

    def _id(self, key: str) -> int:
        return self._first_id + self._numbers.setdefault(key, next(self._count) % MAX_KEYS)

    def upsert(self, key: str, value: int) -> Message:
        return record(str(self._id(key)), object="issue", operation="update", title=str(value))

    def insert(self, key: str) -> Message:
        made = record(None, object="issue", operation="insert", title=key, meeting_id=MEETING)
        return made._replace(key=key.encode())

    def bad(self, key: str) -> Message:
        made = record(None, object="issue", operation="insert", title=key, meeting_id=999)
        return made._replace(key=key.encode())

    def times_applied(self, vendor: BloomGrowth, key: str) -> int:
        return len(list(vendor.ledger.entries(LedgerFilter(object="issue", identifier=key, effect="CREATED"))))

    def value(self, vendor: BloomGrowth, key: str) -> int | None:
        issue = vendor._tenant.issues.get(self._id(key))
        return None if issue is None or issue.title == "-1" else int(issue.title)

    def count_items(self, body: bytes) -> int:
        return int(b'"title"' in body)


KIND = SandboxedBloomGrowth()
