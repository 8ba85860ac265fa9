"""XML rows: a parser reads what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.xml_rows import encode_row

_texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], include_characters="\t\r\n<&>]"), min_size=1)


def test_row_has_elements_and_nulls() -> None:
    row = encode_row(("LastName", "Email", "Active__c"), ["A & B", None, True])
    assert row == (
        b'<sObject><LastName>A &amp; B</LastName><Email xsi:nil="true"/><Active__c>true</Active__c></sObject>'
    )


def test_parent_is_an_object_with_its_type_if_there_are_several() -> None:
    row = encode_row(("Account.Ext__c", "User:Owner.Email"), ["A-1", "x@y.z"])
    assert row == (
        b"<sObject><Account><sObject><Ext__c>A-1</Ext__c></sObject></Account>"
        b"<Owner><sObject><type>User</type><Email>x@y.z</Email></sObject></Owner></sObject>"
    )


@given(_texts)
def test_text_is_read_as_it_was_written(text: str) -> None:
    assert etree.fromstring(encode_row(("T",), [text])).findtext("T") == text


def test_value_that_no_field_can_hold_is_refused() -> None:
    with pytest.raises(Rejection, match="field LastName"):
        encode_row(("LastName",), ["a\x01"])
