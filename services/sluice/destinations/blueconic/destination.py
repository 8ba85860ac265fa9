"""One BlueConic tenant: requests, and what their answers mean as a whole."""

from collections.abc import Sequence

import httpx
import msgspec

from sluice.destinations.blueconic.entries import PROFILES, Entries
from sluice.destinations.blueconic.recovery import MAX_READS, Recovery
from sluice.destinations.blueconic.results import outcomes_of, read_results
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import (
    Ambiguous,
    Misconfigured,
    OnRequest,
    PreSendCheck,
    Refused,
    Unavailable,
)
from sluice.destinations.http import error_message, open_client, send, turned_away
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from sluice.destinations.oauth import TokenAuth
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits
from sluice.setting_types import Secret

BASE = "/rest/v2"
"""§1 [spec]"""
LIMITS = Limits(
    max_items=1000,  # §6 [spec]
    max_bytes=4 * 1024 * 1024 - len("[]"),  # §6 [assumed]: keeps memory and timeouts bounded
    max_concurrent=2,  # §6 [assumed]: there is a limit, its size is not published
    max_age_s=1.0,  # ours to choose
)
TOKEN_LIFETIME_S = 3600.0
"""Where the vendor names none. §2 [spec] example. The 60 s of ``timeout_s`` are [assumed] too, §6."""


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
        """Raises ``Misconfigured`` for an address that is none."""
        base_url = settings.url.rstrip("/").removesuffix(BASE) + BASE
        # Client credentials in the form body, no scope: scopes are fixed at registration. §2 [spec], [docs]
        form: dict[str, str | Secret] = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        try:
            self._client = open_client(
                settings,
                base_url=base_url,
                max_connections=LIMITS.max_concurrent + MAX_READS,
                auth=TokenAuth(f"{base_url}/oauth/token", form, default_lifetime_s=TOKEN_LIFETIME_S),
                transport=transport,
                on_request=on_request,
            )
        except httpx.InvalidURL as error:
            raise Misconfigured(f"expected an address such as https://acme.blueconic.net as url: {error}") from error
        self._encode = Entries(settings).encode
        self._recovery = Recovery(self._client, settings.timeout_s)
        self._profile_query = {"objectiveIds": ",".join(settings.objective_ids)} if settings.objective_ids else None

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """``event`` as an entry of ``PUT /groups`` or ``PUT /profiles``. Raises ``Rejection``."""
        return self._encode(event, identifier)

    async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
        """Send ``batch`` as one request. Raises ``BatchError``."""
        # Sent as it is: compressed request bodies are not documented. §3
        request = self._client.build_request(
            "PUT",
            batch.batch_key,
            content=_array([item.encoded.body for item in batch.items]),
            params=self._profile_query if batch.batch_key == PROFILES else None,
            headers={"content-type": "application/json"},
            extensions={PRE_SEND_CHECK: pre_send_check},
        )
        response = await send(self._client, request)
        results = read_results(response.content) if response.status_code in (200, 413) else None
        # An empty array settles nothing: it would go round for ever.
        if results is not None and (results or response.status_code == 200):
            return outcomes_of(batch.items, results, cut=response.status_code == 413)
        raise turned_away(response) or _unanswered(response)

    async def recover(self, batch: Batch, in_doubt: InDoubt) -> Sequence[Outcome | None]:
        """Look up what may not be sent twice. Raises ``Unavailable``."""
        return await self._recovery.ask(batch.items, in_doubt)

    async def check(self) -> str:
        """Read the group types, which needs a token. Raises ``BatchError``."""
        response = await send(self._client, self._client.build_request("GET", "groupTypes"))
        host = response.request.url.host
        if response.status_code == 404:
            return (
                f"BlueConic at {host} lets us in; it is too old to list its group types (R98 and later do)"  # §1 [spec]
            )
        if (
            response.status_code == 403
        ):  # a token was granted just now: what is missing is a scope that only checking needs
            return f"BlueConic at {host} lets us in; the application may not list group types (scope read:group-types)"
        if response.status_code != 200:
            raise turned_away(response) or _unchecked(response)
        try:
            types = [type_.id for type_ in _decode_types(response.content).groupTypes]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _unchecked(response) from None
        return f"BlueConic at {host} lets us in; group types: {', '.join(types) or 'none'}"

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()


class _GroupType(msgspec.Struct):
    id: str


class _GroupTypes(msgspec.Struct):
    """§8 [spec]"""

    groupTypes: list[_GroupType]  # noqa: N815  # the wire's name


_decode_types = msgspec.json.Decoder(_GroupTypes).decode


def _array(entries: list[bytes]) -> bytes:
    """The body of a request, copied once. ``entries`` is used up."""
    entries[0] = b"[" + entries[0]
    entries[-1] += b"]"
    return b",".join(entries)


def _unanswered(response: httpx.Response) -> Refused | Misconfigured | Ambiguous:
    """What an answer without results means, if it is no outage."""
    status = response.status_code
    message = f"BlueConic answered {status}: {error_message(response)}"
    if status in (400, 413, 422):
        return Refused(str(status), message, status)
    # 408 is declared for reads only: a proxy's, it may have passed the request on. §7 [spec]
    if 300 <= status < 500 and status != 408:
        where = response.headers.get("location", "")
        return Misconfigured(f"{message}; check `url`" + (f", perhaps it is {where}" if where else ""))
    return Ambiguous(message)


def _unchecked(response: httpx.Response) -> Unavailable | Misconfigured:
    """The same for a read, of which nothing is ambiguous."""
    error = _unanswered(response)
    if isinstance(error, Ambiguous):
        return Unavailable("no-answer", str(error))
    return Misconfigured(str(error))
