"""One BlueConic tenant: its requests, and the meaning of each answer as a whole.

One request is one array of entries and its answer an array of results; entries fail one by one. §1, §3 [spec]

==================================  ===================================  =========================================
answer (§7)                         applied                              becomes
==================================  ===================================  =========================================
200 with an array                   entry by entry                       an outcome per item
413 with an array                   the first entries [spec]             their outcomes; the others ``retryable``
400, 422, any other 413             nothing [assumed]                    ``Refused``
401 twice, 403, 429, 503            nothing [assumed]                    ``Unavailable``
3xx, any other 4xx but 408          nothing [assumed]                    ``Misconfigured``
408, other 5xx, lost, no array      unknown                              ``Ambiguous``
any error that is not BlueConic's   unknown                              the same; where an item must not be repeated,
                                                                         ``Ambiguous``
==================================  ===================================  =========================================
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from urllib.parse import quote
from uuid import uuid4

import httpx
import msgspec

from sluice.destinations.blueconic.entries import Entries
from sluice.destinations.blueconic.errors import error_from, is_own_error, read_error_from
from sluice.destinations.blueconic.groups import GROUPS
from sluice.destinations.blueconic.profiles import PROFILES
from sluice.destinations.blueconic.recovery import MAX_READS, Recovery
from sluice.destinations.blueconic.results import outcomes_of, read_results
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import (
    Ambiguous,
    OnRequest,
    PreSendCheck,
    Recovered,
    Refused,
    Unavailable,
    unproven,
)
from sluice.destinations.http import open_client, send
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from sluice.destinations.oauth import RESEND_CHECK, TokenAuth
from sluice.destinations.vendor_answers import VendorAnswers
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.windows import Limits
from sluice.setting_types import Secret

BASE = "/rest/v2"
"""Path of the API. §1 [spec]"""
LIMITS = Limits(
    max_items=1000,  # §6 [spec]
    max_bytes=4 * 1024 * 1024 - len("[]"),  # §6 [assumed]: bounds memory and the time of a request
    max_concurrent=2,  # §6 [assumed]: the vendor has a limit and does not publish it
    max_age_s=1.0,  # ours to choose
)
TOKEN_LIFETIME_S = 3600.0
"""Used where the vendor names none: the example of §2 [spec]. The 60 s of ``timeout_s`` are [assumed], §6."""


class BlueConic:
    """One tenant, reached with one client."""

    limits = LIMITS

    def __init__(
        self,
        settings: BlueConicSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        base_url = settings.url.rstrip("/").removesuffix(BASE) + BASE
        # Client credentials in the form body. Scopes are fixed at registration, and can be narrowed. §2 [spec], [docs]
        form: dict[str, str | Secret] = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        self._answers = VendorAnswers(settings.own_answer_header, is_own_error)
        auth = TokenAuth(f"{base_url}/oauth/token", form, default_lifetime_s=TOKEN_LIFETIME_S)
        if settings.scopes:
            form["scope"] = " ".join(sorted(settings.scopes))  # §2 [client]
            auth.credentials = "the client id, the secret and `scopes`"
        self._client = open_client(
            settings,
            base_url=base_url,
            max_connections=LIMITS.max_concurrent + MAX_READS,
            auth=auth,
            transport=transport,
            on_request=on_request,
            on_response=self._answers.note,
        )
        self._encode = Entries(settings).encode
        self.settle_s = settings.settle_s
        self._recovery = Recovery(self._client, settings, self._answers)
        self._missing = Fate.REJECTED if settings.missing_updates == "reject" else Fate.SKIPPED
        self._profile_query = {"objectiveIds": ",".join(settings.objective_ids)} if settings.objective_ids else None

    @property
    def vendor_at(self) -> datetime | None:
        """BlueConic's own clock in its newest answer."""
        return self._answers.vendor_at

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event`` as an entry of ``PUT /groups`` or ``PUT /profiles``. Raises ``Rejection``."""
        return self._encode(event, identifier)

    async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
        """Send ``batch`` as one request. Raises ``BatchError``."""
        may_be_repeated = all(item.encoded.replay_safe for item in batch.items)
        # Not compressed: compressed request bodies are not documented. §3
        request = self._client.build_request(
            "PUT",
            batch.batch_key,
            content=_json_array([item.encoded.body for item in batch.items]),
            params=self._profile_query if batch.batch_key == PROFILES else None,
            headers={"content-type": "application/json"},
            extensions={
                PRE_SEND_CHECK: pre_send_check,
                RESEND_CHECK: lambda response: may_be_repeated or self._answers.are_own(response),
            },
        )
        response = await send(self._client, request)
        results = read_results(response.content) if response.status_code in (200, 413) else None
        # A 413 without results settles nothing: taken as an answer, the same batch would be retried for ever.
        if results is not None and (results or response.status_code == 200):
            return outcomes_of(batch.items, results, missing=self._missing, cut=response.status_code == 413)
        error = error_from(response)
        raise error if self._answers.are_own(response) else unproven(error, may_be_repeated=may_be_repeated)

    def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Read the records of items that are not safe to repeat. Raises ``Unavailable``."""
        return self._recovery.recover(batch.items, in_doubt)

    async def check(self) -> str:
        """Read the group types, which needs a token, and see that writes get through, too. Raises ``BatchError``."""
        answered = await self._check_reads()
        await self._check_writes()
        return answered

    async def _check_reads(self) -> str:
        response = await send(self._client, self._client.build_request("GET", "groupTypes"))
        accepted = f"BlueConic at {response.request.url.host} accepts our credentials"
        if response.status_code == 404 and (self._answers.are_own(response) or not response.content):
            return f"{accepted}; it is too old to list its group types (R98 and later do)"  # §1 [spec]
        # A token was granted just now, so only a scope is missing, which nothing but this check needs. §1 [spec]
        if response.status_code == 403 and self._answers.are_own(response):
            return f"{accepted}; the application may not list group types (scope read:group-types)"
        if response.status_code != 200:
            raise read_error_from(response)
        try:
            types = [type_.id for type_ in _decode_types(response.content).groupTypes]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise read_error_from(response) from None
        answered = f"{accepted}; group types: {', '.join(types) or 'none'}"
        return answered if await self._owns_its_404(types) else f"{answered}; {_ANONYMOUS_404}"

    async def _owns_its_404(self, types: Sequence[str]) -> bool:
        """Return whether a lost increment of a new group can be found out about, as far as that can be tried."""
        if not types:
            return True
        path = f"groups/{quote(types[0], safe='')}/{uuid4().hex}"
        response = await send(self._client, self._client.build_request("GET", path))
        return response.status_code != 404 or self._answers.are_own(response)

    async def _check_writes(self) -> None:
        """Send a write of nothing: a firewall may let reads pass and no writes.

        An empty array is answered with an empty one. §7 [assumed] So any refusal of it says that writes arrive.
        """
        request = self._client.build_request("PUT", GROUPS, content=b"[]", headers={"content-type": "application/json"})
        try:
            response = await send(self._client, request)
        except Ambiguous as error:
            raise Unavailable(error.reason, f"reads get through and writes do not: {error}") from error
        may_not = response.status_code == 403 and self._answers.are_own(response)
        if response.status_code == 200 or may_not or isinstance(error_from(response), Refused):
            return
        raise read_error_from(response)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


_ANONYMOUS_404 = (
    "its 404 may be a proxy's for all we know, so a lost increment of a new record ends as ambiguous: "
    "name a header of its own answers in `own_answer_header`"
)


class _GroupType(msgspec.Struct):
    id: str


class _GroupTypes(msgspec.Struct):
    """The answer of ``GET /groupTypes``. §8 [spec]"""

    groupTypes: list[_GroupType]  # noqa: N815  # the wire's name


_decode_types = msgspec.json.Decoder(_GroupTypes).decode


def _json_array(entries: list[bytes]) -> bytes:
    """Join ``entries``, whose first and last it changes: so a body of megabytes is copied once only."""
    entries[0] = b"[" + entries[0]
    entries[-1] += b"]"
    return b",".join(entries)
