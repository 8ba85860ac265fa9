"""Shapes of records: columns, keys among them, and names that no batch may have."""

import pytest

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.record_shapes import Shapes
from sluice.events import Operation


def test_keys_are_the_first_columns_and_left_out_of_the_data() -> None:
    shape = Shapes("upsert", ("Ext__c",), "accountid").find(("LastName", "ext__c", "AccountId"))
    assert shape.columns == ("Ext__c", "LastName", "AccountId")
    assert (shape.keys_at, shape.has_key_in_data, shape.sort_at) == ((1,), True, 2)


def test_records_with_the_same_fields_share_their_columns() -> None:
    shapes = Shapes("update", ("Id",))
    assert shapes.find(("A", "B")).columns is shapes.find(("A", "B")).columns
    assert shapes.find(("B", "A")).columns == ("Id", "B", "A")


@pytest.mark.parametrize(
    ("operation", "key_fields", "names", "message"),
    [
        pytest.param("update", ("Id",), ("Last Name",), "'Last Name'", id="a label"),
        pytest.param("update", ("Id",), ("A.B.C",), "'A.B.C'", id="a parent's parent"),
        pytest.param("update", ("Id",), ("\ufeffName",), "ufeffName", id="a BOM"),
        pytest.param("update", ("Id",), ("Email", "EMAIL"), "got Email and EMAIL", id="one field in two cases"),
        pytest.param("update", ("Id",), ("Account.A__c", "Account.B__c"), "Account.B__c", id="one parent twice"),
        pytest.param("upsert", ("Ext__c",), ("id",), "upsert by Ext__c", id="Id beside an external id"),
        pytest.param("insert", ("Own__c",), ("Id",), "no Id in the data of an insert", id="Id of an insert"),
        pytest.param("insert", (), (), "at least one field", id="no field"),
        pytest.param("update", ("Id",), tuple(f"F{n}" for n in range(5_000)), "at most 5000", id="too many fields"),
        pytest.param("update", ("Id",), tuple(f"F{n:099}" for n in range(320)), "32000", id="names too long"),
    ],
)
def test_names_are_refused(
    operation: Operation, key_fields: tuple[str, ...], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(Rejection, match=message):
        Shapes(operation, key_fields).find(names)


def test_parent_and_its_id_may_stand_beside_each_other() -> None:
    assert Shapes("update", ("Id",)).find(("Account", "Account.Ext__c")).columns == ("Id", "Account", "Account.Ext__c")
