"""Fields that the entries of groups and profiles have in common. §3, §4 [spec]"""

from json.encoder import encode_basestring as quoted

from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.events import Operation

STRATEGIES: dict[Operation, str] = {"insert": "UPSERT", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""There is no strategy that only inserts. §3 [spec]"""
IDENTIFIER = '{"identifier":'
"""The start of every entry, by which its result is found."""


def strategy_fields(settings: BlueConicSettings, strategy: str) -> str:
    """Return the fields that follow the identifier."""
    domain = f',"domainGroup":{quoted(settings.domain_group)}' if settings.domain_group else ""
    return f',"strategy":"{strategy}"{domain}'
