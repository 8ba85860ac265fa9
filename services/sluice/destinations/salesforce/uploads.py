"""Batches as both APIs get them, once the org's own description of their object has nothing against a record."""

from hashlib import sha256

from sluice.destinations.salesforce.descriptions import Descriptions
from sluice.destinations.salesforce.job_targets import read_target
from sluice.destinations.salesforce.refused_columns import check_rows
from sluice.destinations.salesforce.request_bodies import encode_body
from sluice.destinations.salesforce.row_formats import ContentType
from sluice.destinations.vendor_jobs import RefusedItems, Upload
from sluice.flow.batch import Batch


async def make_upload(batch: Batch, content_type: ContentType, descriptions: Descriptions) -> Upload:
    """Return the body with all items of ``batch``. Raises ``RefusedItems``, ``Unavailable``, ``Misconfigured``."""
    rows = [item.encoded for item in batch.items]
    checked = await check_rows(read_target(batch.batch_key), rows, descriptions)
    if checked.rejections:
        raise RefusedItems(checked.rejections)
    body = encode_body(content_type, rows, checked.spellings)
    return Upload(body, digest(body))


def digest(body: bytes) -> str:
    """Return the fingerprint by which a batch is known again at the vendor."""
    return sha256(body).hexdigest()
