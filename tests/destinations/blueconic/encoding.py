"""Record events as entries of one BlueConic tenant."""

import json
from typing import Any

import msgspec
import pytest

from sluice.destinations.blueconic.entries import Entries
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Rejection
from sluice.events import RecordEvent
from sluice.setting_types import Secret

SETTINGS = BlueConicSettings(url="http://acme.test", client_id="app", client_secret=Secret("s"))
ENTRIES = Entries(SETTINGS)


def with_settings(**named: Any) -> Entries:
    return Entries(msgspec.structs.replace(SETTINGS, **named))


def entry(event: RecordEvent, entries: Entries = ENTRIES) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(entries.encode(event, "0-7").body)
    assert body.pop("identifier") == "0-7"
    return body


def rejection(event: RecordEvent) -> Rejection:
    with pytest.raises(Rejection) as error:
        ENTRIES.encode(event, "0-7")
    return error.value
