"""The table of destination kinds: a kind is one module or folder here and one line below."""

from typing import Any, Protocol

from sluice.attempts import OnRequest
from sluice.destination import Destination, DestinationSettings
from sluice.destinations.blueconic import BlueConic, BlueConicSettings


class Kind(Protocol):
    """Makes a destination from its settings. ``on_request`` is told about each HTTP attempt."""

    def __call__(self, settings: Any, *, on_request: OnRequest | None = None) -> Destination: ...


KINDS: dict[type[DestinationSettings], Kind] = {
    BlueConicSettings: BlueConic,
}
"""From a kind's settings to the class that is made with them."""
