"""Table of the destination kinds: each is one module or folder here, and one line below."""

from importlib import import_module

from sluice.destinations.contract import Account, Kind, OnRequest
from sluice.destinations.settings import DestinationSettings

KINDS: dict[str, str] = {
    "blueconic": "sluice.destinations.blueconic",
    "bloom_growth": "sluice.destinations.bloom_growth",
    "liquid_decisions": "sluice.destinations.liquid_decisions",
    "salesforce_bulk1": "sluice.destinations.salesforce.bulk1",
    "salesforce_bulk2": "sluice.destinations.salesforce.bulk2",
}
"""The module that holds each kind's ``KIND``, by its name in the settings. It is imported on use."""


def load_kind(name: str) -> Kind:
    """Import the kind called ``name``, one of ``KINDS``."""
    kind: Kind = import_module(KINDS[name]).KIND
    return kind


def open_destination(settings: DestinationSettings, *, on_request: OnRequest | None = None) -> Account:
    """Make the destination that ``settings`` describe. Raises ``Misconfigured`` for settings that cannot be used."""
    return load_kind(str(settings.__struct_config__.tag)).connect(settings, on_request=on_request)
