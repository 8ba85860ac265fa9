"""The little that the contract suite must know of a kind and of the stand-in for its vendor.

Write a file in ``kinds`` with a subclass of :class:`SandboxedKind` and an instance of it called ``KIND``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec

from sandbox.vendor import Vendor
from sluice.destinations.contract import Account, Kind
from sluice.setting_types import decode_secret
from tests.destinations.contract.watched_app import Call, Choice, matching
from tests.support.stage import Message, StagedKind

Role = Literal["log in", "write", "ask", "look up", "tidy up"]
"""``log in``: gets a token or session. ``write``: a step on which a batch gets to the vendor; these stand in their
order, and from the last one on the vendor may act. ``ask``: reads that each batch needs, such as poll and collect where
the vendor runs jobs. ``look up``: made when an answer is lost. ``tidy up``: made when all is settled, and nothing waits
for it."""
Doubt = Literal["never", "if it arrived", "always"]


TO = {"timeout_s": 2.0, "settle_s": 1.0, "read_lag_s": 0.5}
"""Settings of an account with short times: no answer of a stand-in is late, except where a test makes it so."""


class Verb(NamedTuple):
    """A sort of call at the vendor's API."""

    name: str
    """A word for the test's id."""
    calls: str
    """Regular expression for method and path, such as ``POST /jobs/[^/]+/start``."""
    role: Role
    says: bytes = b""
    """What stands in the body, where it is the body that tells the call from others."""
    has_items: bool = False
    """True where the body is a batch."""
    doubt: Doubt = "never"
    """When nobody can tell what became of unsafe items: the answer to this call is lost, and it may have arrived."""
    at_once: int = 1
    """Calls that are made one upon the other before the first refusal holds the next."""


class SandboxedKind(ABC):
    """A kind, with its stand-in.

    Every record of a test has a key of its own, except where a test says otherwise.
    """

    name: ClassVar[str]
    module: ClassVar[str] = "sluice.writer"
    """The writer's program; one of its own where the kind is not in the product's table."""
    account: ClassVar[Mapping[str, Any]]
    """Settings of the account as the stand-in takes it, with the ``kind``, without the ``url``."""
    secrets: ClassVar[Sequence[str]]
    """Values that must not be seen anywhere. Tokens are found by the suite."""
    secret_headers: ClassVar[Sequence[str]] = ("authorization",)
    """Request headers that carry a credential, as their last word."""
    verbs: ClassVar[Sequence[Verb]]
    rejected: ClassVar[str]
    """Code of the dead letter of a record that the vendor rejects."""
    refused: ClassVar[str | None] = None
    """Code of the dead letter of a record for which the vendor refuses a whole request, if it ever does."""
    in_doubt: ClassVar[frozenset[str]] = frozenset()
    """Codes of the dead letters of unsafe items of which nobody can tell."""
    runs_jobs: ClassVar[bool] = False
    has_unsafe: ClassVar[bool] = True
    """False where all that goes this way may be repeated; then an insert is applied once, and nobody is in doubt."""
    lists_jobs: ClassVar[bool] = True
    """False where the vendor has no list of its jobs."""

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """The kind itself."""

    @abstractmethod
    def stand_in(self) -> Vendor:
        """Make the vendor."""

    @abstractmethod
    def upsert(self, key: str, value: int) -> Message:
        """Make a record that sets ``key`` to ``value``, and may be applied twice."""

    @abstractmethod
    def insert(self, key: str) -> Message:
        """Make a record that must not be applied twice, such as an insert or an increment."""

    @abstractmethod
    def bad(self, key: str) -> Message:
        """Make a record that the vendor rejects, and nothing else with it."""

    def spoiler(self, key: str) -> Message:
        """Make a record for which the vendor refuses the whole request; asked for only where there is ``refused``."""
        raise NotImplementedError

    def mate(self, key: str) -> Message:
        """Make a good record that may share a batch with a spoiler."""
        return self.upsert(key, 1)

    @abstractmethod
    def times_applied(self, vendor: Any, key: str) -> int:
        """Return how often the vendor has applied the :meth:`insert` of ``key``."""

    @abstractmethod
    def value(self, vendor: Any, key: str) -> int | None:
        """Return the value of ``key``; ``None`` if the vendor has no such record."""

    @abstractmethod
    def count_items(self, body: bytes) -> int:
        """Return how many items a body has, of a verb that has items."""

    def items_sent(self, calls: Iterable[Call]) -> int:
        """Return how many items ``calls`` had together."""
        has_items = self.chosen(*[verb for verb in self.verbs if verb.has_items])
        return sum(self.count_items(call.body) for call in calls if has_items(call))

    def framing_bytes(self, items: int) -> int:
        """Return what a body has beyond the bytes that windows count: its items with one byte after each."""
        return 0

    def hold_jobs(self, vendor: Any) -> None:
        """Have vendor jobs wait from now on; asked for only where the vendor runs jobs."""
        raise NotImplementedError

    def release_jobs(self, vendor: Any) -> None:
        """Let vendor jobs run again, those that wait, too."""
        raise NotImplementedError

    def jobs_waiting(self, vendor: Any) -> int:
        """Return how many vendor jobs wait to run."""
        raise NotImplementedError

    def chosen(self, *verbs: Verb) -> Choice:
        """Choose the calls of these verbs; of those that have items, the calls that do have some."""
        choices = [(matching(verb.calls), verb) for verb in verbs]

        def choose(call: Call) -> bool:
            return any(
                is_one(call) and verb.says in call.body and (not verb.has_items or self.count_items(call.body))
                for is_one, verb in choices
            )

        return choose

    def verbs_of(self, *roles: Role) -> list[Verb]:
        """Return the verbs with one of these roles."""
        return [verb for verb in self.verbs if verb.role in roles]

    def open_account(self, url: str = "http://localhost:1", *, secret: str | None = None) -> Account:
        """Make an account at ``url`` in this process, with ``secret`` in the place of each of its own."""
        account = {"url": url, **TO, **self.account}
        if secret is not None:
            account = _with_values_replaced(account, self.secrets, secret)
        settings = msgspec.convert(account, self.kind.settings, dec_hook=decode_secret)
        return self.kind.connect(settings)

    @property
    def staged(self) -> StagedKind:
        """Its account and program, as a stage takes them."""
        return StagedKind(self.account, self.module)


def _with_values_replaced(settings: Mapping[str, Any], values: Sequence[str], other: str) -> dict[str, Any]:
    """Return ``settings`` with ``other`` in the place of each of ``values``, at any depth."""
    replaced: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            replaced[name] = _with_values_replaced(value, values, other)
        else:
            replaced[name] = other if value in values else value
    return replaced
