"""XML batches: ``<sObjects>`` of ``<sObject>``s of fields. salesforce_bulk.md §3.5, §6."""

from typing import Any

from sandbox.salesforce.bulk1.content import Content, from_records, malformed
from sandbox.salesforce.bulk1.xml_reading import NotXml, local_name, read_xml, text_of


def read_xml_content(body: bytes) -> Content:
    """Read the records; a missing element leaves as is, ``xsi:nil`` sets null. §6 [docs] Raises ``BatchRefused``."""
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
            record |= _relationship(name, child)
        else:
            record[name] = text_of(child)
    return record


def _relationship(name: str, element: Any) -> dict[str, Any]:
    """Return ``<Account><Ext__c>X</Ext__c></Account>`` as the column ``Account.Ext__c``. [assumed]"""
    if any(len(child) for child in element):
        raise malformed(f"Relationship {name} is nested too deep")
    return {f"{name}.{_name(child)}": text_of(child) for child in element}


def _name(element: Any) -> str:
    name = local_name(element)
    if name is None:
        raise malformed(f"Unable to parse XML: unexpected element {element.tag}")
    return name
