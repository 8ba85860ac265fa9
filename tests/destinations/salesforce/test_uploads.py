"""Uploads: bodies with the org's own spelling, known again by a digest."""

import pytest

from sluice.destinations.salesforce.descriptions import Descriptions
from sluice.destinations.salesforce.uploads import digest, make_upload
from sluice.destinations.vendor_jobs import RefusedItems
from tests.destinations.salesforce.encoding import encode
from tests.support.factories import make_batch, make_item


async def _describe(path: str) -> bytes | None:
    fields = b'[{"name": "Ext__c", "externalId": true}, {"name": "LastName"}]'
    return b'{"name": "Contact", "fields": %s}' % fields if "Contact" in path else None


DESCRIPTIONS = Descriptions(_describe, 3600.0, lambda: 0.0)


async def test_a_table_has_the_orgs_columns() -> None:
    encoded = encode("upsert", {"ext__c": "A-1"}, {"LASTNAME": "Berg"})
    upload = await make_upload(make_batch([make_item(encoded=encoded)]), "CSV", DESCRIPTIONS)
    assert upload == (b"Ext__c,LastName\nA-1,Berg", digest(b"Ext__c,LastName\nA-1,Berg"))


async def test_an_object_that_is_not_there_refuses_its_records() -> None:
    encoded = encode("update", object_="Unknown__c", data={"LastName": "Berg"})
    with pytest.raises(RefusedItems) as refused:
        await make_upload(make_batch([make_item(encoded=encoded)]), "CSV", DESCRIPTIONS)
    assert refused.value.rejections[0].code == "unknown-object"


def test_a_digest_knows_every_byte() -> None:
    assert len({digest(b"Id\n1"), digest(b"Id\n2"), digest(b"Id\n1\n")}) == 3
