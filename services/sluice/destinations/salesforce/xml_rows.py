"""Rows as XML elements. §3.5, §6

A parent is an ``sObject`` of its own: ``<Account><sObject><Ext__c>A-1</Ext__c></sObject></Account>``, with its ``type``
where parents of several types are possible. [docs Relationship Fields in Records, Valid XML and JSON Records]
"""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from sluice.destinations.salesforce.api_names import read_column
from sluice.destinations.salesforce.csv_rows import check_record, check_text, value_text
from sluice.destinations.salesforce.record_fields import Value


def encode_row(columns: tuple[str, ...], values: Sequence[Value]) -> bytes:
    """Return the ``sObject`` with ``values``, in the order of ``columns``. Raises ``Rejection``."""
    texts = ["" if value is None else value_text(value) for value in values]
    elements = []
    for name, value, text in zip(columns, values, texts, strict=True):
        check_text(name, text)
        column = read_column(name)
        field = name if column is None else column.field
        element = f'<{field} xsi:nil="true"/>' if value is None else f"<{field}>{_escaped(text)}</{field}>"
        if column is not None and column.relationship:
            type_ = f"<type>{column.parent_type}</type>" if column.parent_type else ""
            element = f"<{column.relationship}><sObject>{type_}{element}</sObject></{column.relationship}>"
        elements.append(element)
    check_record(texts)
    return f"<sObject>{''.join(elements)}</sObject>".encode()


def _escaped(text: str) -> str:
    """Return ``text`` for an element: without a reference, a parser makes a CR a LF."""
    return escape(text, {"\r": "&#13;"})
