"""Write a list of records, wait for the vendor's answers, and see what became of each.

    python examples/bulk.py [sluice.yaml]

``bulk`` is the same for coroutines: ``async with bulk(...)``, ``await handler.flush()``.
"""

import sys

from sluice import BulkBatch, bulk_sync

COMPANIES = [
    {"id": "acme", "company_name": "Acme BV"},
    {"id": "initech", "company_name": "Initech Inc"},
    {"id": "hooli", "company_name": "Hooli"},
]


def show(batch: BulkBatch) -> None:
    print(f"batch answered: {batch.counts}")


def main(settings: str = "sluice.yaml") -> None:
    # create=True makes companies that do not exist yet; without it they are skipped.
    with bulk_sync("crm", settings, object="group/company", create=True, callback=show, timeout_s=60) as handler:
        for company in COMPANIES:
            handler.write(company["id"], {"company_name": company["company_name"]})
    # Leaving the block has published the records and waited for their receipts, or raised BulkTimeout.
    result = handler.result
    print(f"{len(result.successful)} delivered, {len(result.failed)} failed")
    for item in result.failed:
        print(f"{item.input.key}: {item.outcome}, {item.code}: {item.message}")
    # handler.retry() publishes the failed ones again, for example after a person has mended the cause.


main(*sys.argv[1:])
