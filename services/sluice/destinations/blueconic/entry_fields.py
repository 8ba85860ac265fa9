"""Fields that the entries of groups and profiles have in common. §3, §4 [spec]"""

from json.encoder import encode_basestring as quoted
from typing import Protocol

from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.events import Operation, RecordEvent
from sluice.flow.batch import Encoded

STRATEGIES: dict[Operation, str] = {"insert": "UPSERT", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""There is no strategy that only inserts. §3 [spec]"""
IDENTIFIER = '{"identifier":'
"""The start of every entry, by which its result is found."""


class Encoder(Protocol):
    """Encoder of the record events of one object and operation. Raises ``Rejection``."""

    def encode(self, event: RecordEvent, identifier: str) -> Encoded: ...


def strategy_fields(settings: BlueConicSettings, strategy: str) -> str:
    """Return the fields that follow the identifier."""
    domain = f',"domainGroup":{quoted(settings.domain_group)}' if settings.domain_group else ""
    return f',"strategy":"{strategy}"{domain}'
