"""Reading of batches as CSV, JSON or XML. salesforce_bulk.md §3.5, §6. All raise ``BatchRefused``."""

from typing import Any

import msgspec

from sandbox.http.messages import UNREADABLE
from sandbox.salesforce.bulk1.content import Content, check_cells, from_records, malformed
from sandbox.salesforce.bulk1.transformation import Transformation, transformed
from sandbox.salesforce.bulk1.xml_reading import NotXml, local_name, read_xml, text_of
from sandbox.salesforce.csv_data import CsvRows
from sandbox.salesforce.row_writer import Row

_PIECE_ROWS = 1_000


def read_csv_content(body: bytes, spec: Transformation | None = None) -> Content:
    """Return the rows of a batch, mapped by the job's transformation spec."""
    text = CsvRows(body)
    columns = list(text.columns)
    rows: list[Row] = []
    for piece in text.pieces(_PIECE_ROWS):
        rows += piece
        check_cells(len(columns), len(rows))
    return Content(columns, rows) if spec is None else transformed(spec, columns, rows)


def read_json_content(body: bytes) -> Content:
    """Read an array of records; a missing key leaves as is, null sets null. §6 [docs]"""
    try:
        records = _decode(body)
    except UNREADABLE as error:
        raise malformed(f"Unable to parse JSON: {error}") from error
    return from_records([_flat(record) for record in records])


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    if not any(isinstance(value, dict | list) for value in record.values()):
        return record
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= _json_relationship(name, value)
        elif isinstance(value, list):
            raise malformed(f"Field {name} has an array for a value")
        else:
            flat[name] = value
    return flat


def _json_relationship(name: str, target: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"Account": {"Ext__c": "X"}}`` as the column ``Account.Ext__c``. §6 [docs]"""
    if any(isinstance(value, dict | list) for value in target.values()):
        raise malformed(f"Relationship {name} is nested too deep")
    return {f"{name}.{field}": value for field, value in target.items()}


def read_xml_content(body: bytes) -> Content:
    """Read the records; a missing element leaves as is, ``xsi:nil`` sets null. §6 [docs]"""
    try:
        root = read_xml(body)
    except NotXml as error:
        raise malformed(f"Unable to parse XML: {error}") from error
    if local_name(root) != "sObjects":
        raise malformed(f"Unable to parse XML: unexpected root {root.tag}")
    return from_records([_record(element) for element in root])


def _record(element: Any) -> dict[str, Any]:
    if local_name(element) != "sObject":
        raise malformed(f"Unable to parse XML: unexpected element {element.tag}")
    record: dict[str, Any] = {}
    for child in element:
        name = _name(child)
        if len(child):
            record |= _xml_relationship(name, child)
        else:
            record[name] = text_of(child)
    return record


def _xml_relationship(name: str, element: Any) -> dict[str, Any]:
    """Return ``<Account><Ext__c>X</Ext__c></Account>`` as the column ``Account.Ext__c``. [assumed]"""
    if any(len(child) for child in element):
        raise malformed(f"Relationship {name} is nested too deep")
    return {f"{name}.{_name(child)}": text_of(child) for child in element}


def _name(element: Any) -> str:
    name = local_name(element)
    if name is None:
        raise malformed(f"Unable to parse XML: unexpected element {element.tag}")
    return name


_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode
