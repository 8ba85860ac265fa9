"""Types of timeline events, and the form of their data. blueconic.md §5.

The document shows one check, ``#/total_revenue/0: expected type: Number, found: String``, and says that nested
properties may be identifiers. The shape of a definition is ours. [assumed]
"""

from typing import Literal

import msgspec

Primitive = Literal["String", "Number", "Boolean"]


class EventProperty(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A property of an event, or of a nested value. With ``nested``, its values are lists of rules on those."""

    type: Primitive = "String"
    identifier: bool = False
    nested: dict[str, "EventProperty"] = {}


class EventType(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A type of event. LOW ones are kept for ``retention_days`` (1 to 365, default 30). §5 [spec]

    Properties that are not listed are accepted unchecked. [assumed, as for groups]
    """

    id: str
    name: str
    priority: Literal["HIGH", "LOW"] = "HIGH"
    retention_days: int = 30
    properties: dict[str, EventProperty] = {}


ORDER = EventType(
    id="order",
    name="Order",
    properties={
        "total_revenue": EventProperty(type="Number"),
        "product": EventProperty(
            nested={"id": EventProperty(identifier=True), "quantity": EventProperty(type="Number")}
        ),
    },
)
"""Event type of the document's example. §4"""
