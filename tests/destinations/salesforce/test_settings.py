"""Settings of a Salesforce org: versions that are served, names that can be any."""

from typing import Any

import msgspec
import pytest

from sluice.destinations.salesforce.settings import Bulk1Settings, Bulk2Settings, SalesforceSettings
from sluice.setting_types import decode_secret

LOGIN = {"flow": "password", "username": "u", "password": "p", "client_id": "c", "client_secret": "s"}


def _read(type_: type[SalesforceSettings], **values: Any) -> SalesforceSettings:
    settings: Any = {"kind": type_.__struct_config__.tag, "url": "https://acme.my.salesforce.com", **values}
    if "login" in type_.__struct_fields__:
        settings["login"] = LOGIN
    return msgspec.convert(settings, type_, dec_hook=decode_secret)


def test_settings_have_a_version_that_is_served() -> None:
    assert _read(Bulk1Settings).api_version == _read(Bulk2Settings).api_version == "59.0"
    assert _read(Bulk1Settings, api_version="31.0").api_version == "31.0"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"api_version": "30.0"}, "api_version", id="a retired version"),
        pytest.param({"api_version": "59"}, "api_version", id="a version without its point"),
        pytest.param({"external_ids": {"Contact": "Ext Id"}}, "external_ids", id="a label for a field's name"),
        pytest.param({"empty_text": "drop"}, "empty_text", id="another word for empty texts"),
    ],
)
@pytest.mark.parametrize("type_", [Bulk1Settings, Bulk2Settings])
def test_settings_refuse(type_: type[SalesforceSettings], values: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        _read(type_, **values)


def test_bulk2_needs_a_version_that_has_it() -> None:
    assert _read(Bulk2Settings, api_version="41.0").api_version == "41.0"
    with pytest.raises(msgspec.ValidationError, match=r"41\.0 or later"):
        _read(Bulk2Settings, api_version="40.0")
    assert _read(Bulk1Settings, api_version="40.0").api_version == "40.0"


def test_job_is_closed_before_salesforce_ends_it() -> None:
    with pytest.raises(msgspec.ValidationError, match="max_open_s"):
        _read(Bulk1Settings, max_open_s=86_400)


@pytest.mark.parametrize("items", [0, 100_001])
def test_job_of_bulk2_has_at_most_a_hundred_thousand_items(items: int) -> None:
    assert isinstance(_read(Bulk2Settings, max_items_per_job=100_000), Bulk2Settings)
    with pytest.raises(msgspec.ValidationError, match="max_items_per_job"):
        _read(Bulk2Settings, max_items_per_job=items)


def test_bulk2_has_assignment_rules_since_49() -> None:
    """§4.1"""
    rules = {"Case": "01Q000000000001"}
    assert _read(Bulk2Settings, api_version="49.0", assignment_rule_ids=rules).assignment_rule_ids == rules
    assert _read(Bulk1Settings, api_version="48.0", assignment_rule_ids=rules).assignment_rule_ids == rules
    with pytest.raises(msgspec.ValidationError, match=r"49\.0 or later"):
        _read(Bulk2Settings, api_version="48.0", assignment_rule_ids=rules)
