"""``GET /services/data/vNN.0/sobjects/{Object}/describe``: the fields of one object. salesforce_bulk.md §13.15 [docs].

    {"name": "Contact", "keyPrefix": "003", "fields": [{"name": "Ext__c", "type": "string", "length": 255, ...}]}

An external id of a custom field is an ``externalId``; any field that upserts find records by is an ``idLookup``, such
as ``Id`` and the standard emails. [assumed: the platform's usual answer]
"""

from collections.abc import Collection
from typing import Any

from sandbox.http.messages import Request, Response
from sandbox.http.routing import Route
from sandbox.salesforce.objects import Field, ObjectType
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import Caller, as_rest_json, not_found, rest_handler

_ID_LENGTH = 18
_TEXTS = ("string", "email", "picklist", "base64")


def describe_route(org: Org) -> Route:
    """Return the route. An unknown object is a 404 ``NOT_FOUND``; names are found in any case."""

    def answer(request: Request, _: Caller) -> Response:
        table = org.tables.get(request.params["object"].lower())
        if table is None:
            raise not_found()
        hidden = org.hidden_fields(table.kind, request.method, request.path)
        return as_rest_json(_described(table.kind, hidden))

    return Route("GET", "/services/data/{version}/sobjects/{object}/describe", rest_handler(org, answer))


def _described(kind: ObjectType, hidden: Collection[str]) -> dict[str, Any]:
    fields = [_id_field(), *(_field(field) for field in kind.all_fields if field.name.lower() not in hidden)]
    return {"name": kind.name, "keyPrefix": kind.prefix, "custom": kind.name.endswith("__c"), "fields": fields}


def _id_field() -> dict[str, Any]:
    identity = Field(name="Id", read_only=True, required=True, external_id=True)
    return {**_field(identity), "type": "id", "length": _ID_LENGTH}


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "length": _length(field),
        "createable": not field.read_only,
        "updateable": not field.read_only,
        "externalId": field.external_id and field.name.endswith("__c"),
        "idLookup": field.external_id,
        "caseSensitive": field.case_sensitive,
        "relationshipName": field.relationship or None,
        "referenceTo": list(field.refers_to),
        "polymorphicForeignKey": len(field.refers_to) > 1,
        "nillable": not field.required,
    }


def _length(field: Field) -> int:
    """Return the characters that a text or an id may have; 0 for all else."""
    if field.type == "reference":
        return _ID_LENGTH
    return field.max_length if field.type in _TEXTS else 0
