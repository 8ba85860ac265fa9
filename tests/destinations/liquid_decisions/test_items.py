"""Items: a record event becomes an item with its key, or is rejected before anything is sent."""

import json
from typing import Any

import pytest

from sluice.destinations.contract import Rejection
from sluice.destinations.liquid_decisions.items import CREATES, UPSERTS, Items, import_key
from sluice.events import RecordEvent
from tests.destinations.liquid_decisions.offline import ACCOUNT, SETTINGS, account, importing, settings_with
from tests.support.factories import record

ITEMS = Items(SETTINGS)


def _item(event: RecordEvent, items: Items = ITEMS) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(items.encode(event, "0-1").body)
    return found


@pytest.mark.parametrize(
    ("operation", "action", "batch_key", "replay_safe"),
    [
        ("insert", "Create", CREATES, False),
        ("update", "Merge", UPSERTS, True),
        ("upsert", "Merge", UPSERTS, True),
        ("delete", "Delete", UPSERTS, True),
    ],
)
def test_each_operation_has_its_action(operation: Any, action: str, batch_key: str, replay_safe: bool) -> None:
    event = account("A", operation, name="x")
    encoded = ITEMS.encode(event, "0-1")
    assert (encoded.batch_key, encoded.replay_safe) == (batch_key, replay_safe)
    data = {"accountId": "A"} if operation == "delete" else {"accountId": "A", "name": "x"}
    assert _item(event) == {"headers": {"category": "entity", "type": "Account", "action": action}, "data": data}


def test_a_type_may_replace_whole_items_and_be_imported() -> None:
    replacing = Items(settings_with(types={"Account": type(ACCOUNT)(key_fields=("accountId",), merge=False)}))
    assert _item(account(), replacing)["headers"]["action"] == "Update"
    keys = [
        Items(importing()).encode(account(operation=one), "0-1").batch_key for one in ("upsert", "insert", "delete")
    ]
    assert keys == [import_key("Account"), CREATES, UPSERTS]


def test_values_are_sent_as_they_were_written() -> None:
    event = record("Account", "upsert", "A", b'{"a":1.50,"b":12345678901234567890,"c":"\\u00e9","d":[{"e":null}]}')
    assert ITEMS.encode(event, "0-1").body.endswith(
        b'"data":{"a":1.50,"b":12345678901234567890,"c":"\\u00e9","d":[{"e":null}],"accountId":"A"}}'
    )


@pytest.mark.parametrize(
    ("key", "data", "sent", "identity"),
    [
        pytest.param("5", {"accountId": 5}, 5, "Account\x005", id="in data as a number"),
        pytest.param("5.0", {}, "5.0", "Account\x005", id="as a text that is a number"),
        pytest.param(None, {"accountId": " Ab "}, " Ab ", "Account\0ab", id="in data alone"),
        pytest.param({"accountId": "AB"}, {"accountId": None}, "AB", "Account\0ab", id="null in data"),
    ],
)
def test_the_key_is_sent_once_in_the_form_of_data(key: Any, data: Any, sent: Any, identity: str) -> None:
    event = record("Account", "insert", key, data)
    assert _item(event)["data"]["accountId"] == sent
    assert ITEMS.encode(event, "0-1").identity == identity


def test_a_key_of_several_fields_is_a_mapping() -> None:
    event = record("OrderLine", "upsert", {"orderId": "X", "lineNumber": "2"}, {"n": 1})
    assert ITEMS.encode(event, "0-1").identity == "OrderLine\0x\x002"
    assert _item(event)["data"] == {"n": 1, "orderId": "X", "lineNumber": "2"}


@pytest.mark.parametrize(
    ("event", "code", "said"),
    [
        pytest.param(account(object_="Nowhere"), "unknown-object", "Account, OrderLine, got 'Nowhere'", id="object"),
        pytest.param(account(operation="hardDelete"), "unknown-operation", "'hardDelete'", id="operation"),
        pytest.param(record("Account", "insert", None, {}), "missing-key", "accountId", id="no key at all"),
        pytest.param(account(" "), "missing-key", "blanks", id="a blank key"),
        pytest.param(account("A", accountId=True), "missing-key", "a text or a number", id="a key of another sort"),
        pytest.param(account("A", accountId=""), "missing-key", "a text or a number", id="an empty key in data"),
        pytest.param(account("A", accountId="B"), "bad-key", "one value in the key and another one", id="two keys"),
        pytest.param(account({"name": "A"}), "bad-key", "other fields", id="a field that is no key"),
        pytest.param(record("Account", "upsert", [{"accountId": "A"}]), "bad-key", "other fields", id="alternatives"),
        pytest.param(account("A", object_="OrderLine"), "bad-key", "orderId, lineNumber", id="a text for two fields"),
        pytest.param(account({"orderId": "A"}, object_="OrderLine"), "missing-key", "lineNumber", id="half a key"),
        pytest.param(record("Account", data=b"[]"), "bad-data", "a JSON object", id="no object"),
        pytest.param(record("Account", data=b'{"a":"\xff"}'), "bad-data", "UTF-8", id="no UTF-8"),
        pytest.param(
            record("Account", "insert", None, b'{"accountId":1e999}'), "bad-data", "accountId", id="no number"
        ),
    ],
)
def test_what_the_vendor_could_not_take_is_rejected(event: RecordEvent, code: str, said: str) -> None:
    with pytest.raises(Rejection) as error:
        ITEMS.encode(event, "0-1")
    assert error.value.code == code
    assert said in error.value.message
