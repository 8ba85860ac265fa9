"""Descriptions of objects: kept for a time, asked for once."""

import asyncio

import msgspec
import pytest

from sluice.destinations.contract import Unavailable
from sluice.destinations.salesforce.descriptions import Descriptions
from tests.destinations.salesforce.encoding import CONTACT


class _Org:
    """An org that describes Contact, and a clock."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.asked: list[str] = []
        self.now_s = 0.0
        self.answer = msgspec.json.encode(CONTACT) if answer is None else answer
        self.descriptions = Descriptions(self.get, 3600.0, lambda: self.now_s)

    async def get(self, path: str) -> bytes | None:
        self.asked.append(path)
        await asyncio.sleep(0)
        return self.answer if path.casefold() == "sobjects/contact/describe" else None


async def test_object_is_asked_for_once_an_hour_in_any_case_and_by_all_at_once() -> None:
    org = _Org()
    found = await asyncio.gather(*(org.descriptions.find(name) for name in ("Contact", "contact", "CONTACT")))
    assert [description and description.name for description in found] == ["Contact"] * 3
    org.now_s = 3600.0
    await org.descriptions.find("Contact")
    assert org.asked == ["sobjects/Contact/describe"]
    org.now_s = 3601.0
    await org.descriptions.find("Contact")
    assert len(org.asked) == 2


async def test_fresher_description_can_be_asked_for() -> None:
    org = _Org()
    await org.descriptions.find("Contact")
    org.now_s = 61.0
    await org.descriptions.find("Contact", 61.0)
    assert len(org.asked) == 1
    await org.descriptions.find("Contact", 60.0)
    assert len(org.asked) == 2


async def test_description_that_is_wrong_can_be_forgotten() -> None:
    org = _Org()
    for _ in range(2):
        await org.descriptions.find("Contact")
        org.descriptions.forget("contact")
    assert len(org.asked) == 2


async def test_object_that_does_not_exist_is_kept_too() -> None:
    org = _Org()
    assert await org.descriptions.find("Nope__c") is None
    assert await org.descriptions.find("Nope__c") is None
    assert len(org.asked) == 1


async def test_fields_are_found_by_name_and_relationship_in_any_case() -> None:
    contact = await _Org().descriptions.find("Contact")
    assert contact is not None
    assert contact.by_name["ext__c"].name == "Ext__c"
    assert contact.by_relationship["account"].name == "AccountId"
    assert [contact.by_relationship[name].has_several_types for name in ("account", "owner")] == [False, True]


@pytest.mark.parametrize("answer", [b"<html>", b'{"name": "Contact"}', b"[]"])
async def test_answer_that_is_no_description_is_asked_for_again(answer: bytes) -> None:
    org = _Org(answer)
    for _ in range(2):
        with pytest.raises(Unavailable, match="description of Contact"):
            await org.descriptions.find("Contact")
    assert len(org.asked) == 2
