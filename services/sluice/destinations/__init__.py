"""The table of destination kinds: a kind is one module or folder here and one line below."""

from importlib import import_module

from sluice.destinations.contract import Destination, DestinationSettings, Kind, OnRequest

KINDS: dict[str, str] = {
    "blueconic": "sluice.destinations.blueconic",
}
"""From a kind's name in the settings to the module with its ``KIND``, which is imported on use."""


def load_kind(name: str) -> Kind:
    """Import the kind called ``name``, one of ``KINDS``."""
    kind: Kind = import_module(KINDS[name]).KIND
    return kind


def open_destination(settings: DestinationSettings, *, on_request: OnRequest | None = None) -> Destination:
    """Make the destination that ``settings`` are for. Raises ``Misconfigured`` for settings that cannot be used."""
    return load_kind(str(settings.__struct_config__.tag)).connect(settings, on_request=on_request)
