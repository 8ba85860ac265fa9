"""Settings of a BlueConic tenant."""

from typing import Annotated, Literal

from msgspec import Meta

from sluice.destinations.settings import DestinationSettings
from sluice.setting_types import Secret

Legislation = Annotated[str, Meta(pattern="^[A-Z][A-Z0-9_]*$")]
"""One of 49 words such as ``GDPR``. blueconic.md §4 names three [spec], so their form alone is checked."""


class BlueConicSettings(DestinationSettings, frozen=True, kw_only=True, tag="blueconic"):
    """A BlueConic tenant. ``url`` is its address, such as https://acme.blueconic.net."""

    client_id: str
    client_secret: Secret
    scopes: Annotated[
        tuple[str, ...], Meta(description="Scopes to ask for; all that the application has if left out")
    ] = ()
    property_prefix: Annotated[
        str, Meta(description="Put before every property id of a group; {type} stands for the group's type")
    ] = ""
    date_properties: Annotated[
        tuple[str, ...],
        Meta(description="Properties, as named in the records, whose RFC 3339 instants go as epoch milliseconds"),
    ] = ()
    group_type_field: Literal["groupTypeId", "groupType"] = "groupTypeId"  # §9 [spec]
    """The field for a group's type: BlueConic's schema has the first name, its examples the second."""
    missing_updates: Annotated[
        Literal["skip", "reject"], Meta(description="What becomes of an update of a record that is not there")
    ] = "skip"
    domain_group: Annotated[str, Meta(description="Domain group to match and create in; DEFAULT if left out")] = ""
    objective_ids: Annotated[
        tuple[str, ...], Meta(description="Write only profiles that have consented to one of these objectives")
    ] = ()
    member_of_segment: Annotated[str, Meta(description="Write only profiles that are in this segment")] = ""
    permission_level: Literal["DO_NOT_TRACK", "ANONYMOUS", "PERSONAL"] | None = None
    privacy_legislation: Annotated[Legislation | None, Meta(description="That of new profiles, such as GDPR")] = None
    trigger_on_property_change: bool | None = None
    trigger_on_event_added: bool | None = None
    timeline_creates_profiles: Annotated[
        bool, Meta(description="Create the profile of a timeline event that has none, instead of rejecting the event")
    ] = False
