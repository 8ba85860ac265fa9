"""Targets of jobs: in the batch key, and out of it again."""

import pytest

from sluice.destinations.salesforce.job_targets import Target, read_target


@pytest.mark.parametrize(
    ("target", "batch_key", "key_field"),
    [
        pytest.param(Target("Contact", "insert"), "Contact/insert", "", id="insert"),
        pytest.param(Target("Contact", "hardDelete"), "Contact/hardDelete", "Id", id="hardDelete"),
        pytest.param(Target("X__c", "upsert", "Ext__c"), "X__c/upsert/Ext__c", "Ext__c", id="upsert"),
    ],
)
def test_target_is_read_from_its_batch_key(target: Target, batch_key: str, key_field: str) -> None:
    assert (target.batch_key, target.key_field) == (batch_key, key_field)
    assert read_target(batch_key) == target
