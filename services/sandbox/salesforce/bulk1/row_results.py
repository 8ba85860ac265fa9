"""Row results: one per request row, in its order, as CSV, JSON or XML. salesforce_bulk.md §3.7."""

from typing import Any

from sandbox.http.messages import BulkResponse, Response
from sandbox.salesforce.bulk1.layout import DECLARATION, json_document, xml_text
from sandbox.salesforce.bulk1.media_types import RESULT_TYPES, ContentType
from sandbox.salesforce.bulk1.xml_reading import NAMESPACE, XSI
from sandbox.salesforce.results import RowError, RowResult

_CSV_HEADER = '"Id","Success","Created","Error"'
_CSV_DONE = {True: '","true","true",""', False: '","true","false",""'}


def row_results(results: list[RowResult], content_type: ContentType, line_end: str) -> BulkResponse:
    """Answer call 9 on a batch that wrote rows. No identifiers of the client's stand in it that could be lost."""

    def render(items: list[Any]) -> Response:
        match RESULT_TYPES[content_type]:
            case "text/csv":
                body = _csv(items, line_end)
            case "application/json":
                body = json_document([_json_object(result) for result in items])
            case _:
                body = _xml(items)
        return Response(status=200, body=body, content_type=RESULT_TYPES[content_type])

    return BulkResponse(items=list(results), render=render, without_identifier=lambda result: result)


def _csv(results: list[RowResult], line_end: str) -> bytes:
    """Quote every value. §3.7 [docs] [client CumulusCI]"""
    done = _CSV_DONE
    lines = [f'"{one.id}{done[one.created]}' if one.success else _csv_failure(one) for one in results]
    return line_end.join([_CSV_HEADER, *lines, ""]).encode("utf-8", "replace")


def _csv_failure(result: RowResult) -> str:
    text = "".join(error.text() for error in result.errors).replace('"', '""')
    return f'"{result.id}","false","false","{text}"'


def _json_object(result: RowResult) -> dict[str, object]:
    return {
        "success": result.success,
        "created": result.created,
        "id": result.id or None,
        "errors": [_json_error(error) for error in result.errors],
    }


def _json_error(error: RowError) -> dict[str, object]:
    return {
        "message": error.message,
        "fields": list(error.fields),
        "statusCode": error.status_code,
        "extendedErrorDetails": None,
    }


def _xml(results: list[RowResult]) -> bytes:
    inside = "".join(map(_xml_result, results))
    return f'{DECLARATION}<results xmlns="{NAMESPACE}" xmlns:xsi="{XSI}">{inside}</results>'.encode()


def _xml_result(result: RowResult) -> str:
    """Return one result; a missing id is nil, the XML twin of JSON's null. §3.7 [assumed]"""
    errors = "".join(map(_xml_error, result.errors))
    identity = f"<id>{result.id}</id>" if result.id else '<id xsi:nil="true"/>'
    success, created = str(result.success).lower(), str(result.created).lower()
    return f"<result>{errors}{identity}<success>{success}</success><created>{created}</created></result>"


def _xml_error(error: RowError) -> str:
    fields = "".join(f"<fields>{xml_text(field)}</fields>" for field in error.fields)
    message, code = xml_text(error.message), xml_text(error.status_code)
    return f"<errors>{fields}<message>{message}</message><statusCode>{code}</statusCode></errors>"
