"""Liquid Decisions without a network: a community that answers as a test tells it."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

from sluice.destinations.liquid_decisions.calls import Calls
from sluice.destinations.liquid_decisions.destination import LiquidDecisions
from sluice.destinations.liquid_decisions.queries import Queries
from sluice.destinations.liquid_decisions.settings import ItemType, LiquidDecisionsSettings
from sluice.events import Key, Operation, RecordEvent
from sluice.setting_types import Secret
from tests.support.factories import record

ACCOUNT, LINE = ItemType(key_fields=("accountId",)), ItemType(key_fields=("orderId", "lineNumber"), category="work")
SETTINGS = LiquidDecisionsSettings(
    url="http://liquid.test",
    username="ann@example.com",
    password=Secret("pw"),
    community="ACME",
    types={"Account": ACCOUNT, "OrderLine": LINE},
    settle_s=1.0,
    read_lag_s=1.0,
)
TOKEN = httpx.Response(200, json={"access_token": "T", "token_type": "Bearer", "expires_in": 3600})
USER = httpx.Response(200, json={"userId": "ann@example.com", "community": "ACME"})
DATE = {"date": "Mon, 05 Jan 2026 09:30:00 GMT"}
DATE_MS = 1_767_605_400_000
Answer = httpx.Response | Callable[[httpx.Request], httpx.Response]


def settings_with(**named: Any) -> LiquidDecisionsSettings:
    return msgspec.structs.replace(SETTINGS, **named)


def importing(write: str = "import", **named: Any) -> LiquidDecisionsSettings:
    """Settings by which accounts are imported."""
    account = ItemType(key_fields=("accountId",), write=write, import_from=3)  # type: ignore[arg-type]
    return settings_with(types={"Account": account}, **named)


class Offline:
    """A community with answers by the last part of a path; those of a list are given one after the other."""

    def __init__(
        self, answers: Mapping[str, Answer | list[Answer]], settings: LiquidDecisionsSettings = SETTINGS
    ) -> None:
        self._answers = {"token": TOKEN, "tokenInfo": USER, **answers}
        self.requests: list[httpx.Request] = []
        self.settings = settings
        self.transport = httpx.MockTransport(self._respond)
        self.destination = LiquidDecisions(settings, transport=self.transport)

    @property
    def calls(self) -> Calls:
        """The calls alone."""
        return Calls(self.settings, transport=self.transport)

    @property
    def queries(self) -> Queries:
        """The queries alone."""
        return Queries(self.settings, self.calls)

    def made(self, name: str) -> list[httpx.Request]:
        """Return the requests whose path ends so."""
        return [request for request in self.requests if request.url.path.endswith(f"/{name}")]

    def forms(self, name: str) -> list[dict[str, str]]:
        """Return the forms of these requests."""
        return [form_of(request) for request in self.made(name)]

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        name = request.url.path.rpartition("/")[2]
        answer = self._answers[name]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if not isinstance(answer, httpx.Response):
            answer = answer(request)
        headers = {**DATE, **answer.headers}
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)


def form_of(request: httpx.Request) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(request.content.decode(), keep_blank_values=True).items()}


def lose(request: httpx.Request) -> httpx.Response:
    """Lose the answer."""
    raise httpx.ReadTimeout("no answer", request=request)


def json(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def item(data: dict[str, Any], *, processed_ms: int = DATE_MS, **headers: Any) -> dict[str, Any]:
    """An item as the vendor shows it."""
    return {"headers": {"id": "a1", "type": "Account", "processedAt": processed_ms, **headers}, "data": data}


def account(key: Key = "A", operation: Operation = "upsert", object_: str = "Account", **data: Any) -> RecordEvent:
    return record(object_, operation, key, data)
