"""Requests to make a job or change its state, in XML or JSON. salesforce_bulk.md §3.3, §3.4."""

from typing import Any, Literal, get_args

import msgspec

from sandbox.http.messages import UNREADABLE
from sandbox.salesforce.bulk1.media_types import CONTENT_TYPES, ContentType, Markup
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.bulk1.xml_reading import NotXml, local_name, read_xml, text_of

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll"]
Concurrency = Literal["Parallel", "Serial"]

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
"""Case-sensitive. §3.3 [docs]"""
QUERIES = ("query", "queryAll")
_CONCURRENCY: dict[str, Concurrency] = {"Parallel": "Parallel", "Serial": "Serial", "0": "Parallel", "1": "Serial"}
"""Modes by their names and by numbers, which JSON clients also send. §3.3 [client simple-salesforce]"""
_FIELDS = ("operation", "object", "externalIdFieldName", "concurrencyMode", "contentType", "assignmentRuleId")


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Requested job, checked as far as is possible without the org."""

    operation: Operation
    object: str
    external_id_field: str | None
    concurrency: Concurrency
    content_type: ContentType
    assignment_rule_id: str | None


def read_job(body: bytes, markup: Markup) -> JobRequest:
    """Read a create request. Raises ``Refusal``: an unknown element or a wrong value makes a job unparsable."""
    given = _read(body, markup)
    if unknown := given.keys() - set(_FIELDS):
        raise _unparsable(f"{min(unknown)} cannot be set")
    operation = given.get("operation") or ""
    if operation not in OPERATIONS:
        raise Refusal("InvalidOperation", f"Unknown operation: {operation or '(none)'}")
    content_type = given.get("contentType") or "XML"
    if content_type not in CONTENT_TYPES:
        raise Refusal("UnsupportedContentType", f"Unsupported contentType: {content_type}")
    if operation in QUERIES and content_type.startswith("ZIP_"):
        raise Refusal("InvalidJob", f"Operation {operation} does not take contentType {content_type}")
    request = JobRequest(
        operation=operation,
        object=given.get("object") or "",
        external_id_field=given.get("externalIdFieldName") or None,
        concurrency=_concurrency(given.get("concurrencyMode")),
        content_type=content_type,
        assignment_rule_id=given.get("assignmentRuleId") or None,
    )
    _check_names(request)
    return request


def read_state(body: bytes, markup: Markup) -> Literal["Closed", "Aborted"]:
    """Read the new state. Raises ``Refusal``, also when any other field is named. §3.4 [docs]"""
    given = _read(body, markup)
    if given.keys() != {"state"}:
        raise _unparsable("only state can be changed")
    match given["state"]:
        case "Closed" | "Aborted" as state:
            return state
        case other:
            raise Refusal("InvalidJobState", f"Cannot change the state of a job to {other or '(none)'}")


def _check_names(request: JobRequest) -> None:
    """Require an external id for upsert, and refuse it otherwise. §3.3 [docs], §3.11 the message"""
    if not request.object:
        raise _unparsable("object is missing")
    if request.operation == "upsert" and request.external_id_field is None:
        message = f"External ID was blank for {request.object}. An External ID must be specified for upsert."
        raise Refusal("InvalidJob", message)
    if request.operation != "upsert" and request.external_id_field is not None:
        raise Refusal("InvalidJob", f"externalIdFieldName must not be specified for {request.operation}")


def _concurrency(given: str | None) -> Concurrency:
    if not given:
        return "Parallel"
    if given not in _CONCURRENCY:
        raise _unparsable(f"concurrencyMode is {given}")
    return _CONCURRENCY[given]


def _read(body: bytes, markup: Markup) -> dict[str, str | None]:
    return _read_json(body) if markup == "json" else _read_xml(body)


def _read_json(body: bytes) -> dict[str, str | None]:
    try:
        given = msgspec.json.decode(body)
    except UNREADABLE as error:
        raise _unparsable(str(error)) from error
    if not isinstance(given, dict):
        raise _unparsable("an object is expected")
    return {name: _scalar(name, value) for name, value in given.items()}


def _scalar(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _unparsable(f"{name} is not text")


def _read_xml(body: bytes) -> dict[str, str | None]:
    """Read with any prefix, and with the root ``<jobinfo>`` that sfbulk sends. §3.3 [client sfbulk]"""
    try:
        root = read_xml(body)
    except NotXml as error:
        raise Refusal("InvalidXML", f"Unable to parse XML: {error}") from error
    if (local_name(root) or "").lower() != "jobinfo":
        raise _unparsable(f"unexpected root {root.tag}")
    given: dict[str, str | None] = {}
    for child in root:
        name = local_name(child)
        if name is None or len(child) or name in given:
            raise _unparsable(f"unexpected element {child.tag}")
        given[name] = (text_of(child) or "").strip()
    return given


def _unparsable(reason: str) -> Refusal:
    return Refusal("InvalidJob", f"Unable to parse Job: {reason}")
