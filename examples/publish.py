"""Publish records: one call each, and Kafka has all of them when the block ends.

    python examples/publish.py [sluice.yaml]

Records with the same key are applied in the order in which they are published. ``job_id`` is a name of your choice for
records that belong together; examples/consume.py follows it.
"""

import asyncio
import sys

from sluice import InvalidRecord, Publisher

COMPANIES = {"acme": "Acme BV", "initech": "Initech Inc", "": "A company without an id"}


async def main(settings: str = "sluice.yaml") -> None:
    published = 0
    # Leaving the block waits until Kafka has confirmed everything, and raises PublishError if it has not.
    async with Publisher("crm", settings) as publisher:
        for company_id, name in COMPANIES.items():
            try:
                await publisher.publish(
                    object="group/company",
                    operation="upsert",
                    key=company_id,
                    data={"company_name": name},
                    job_id="example",
                )
                published += 1
            except InvalidRecord as error:  # this record only; go on with the next one
                print(f"not published: {error}")
        # The same key as before: applied after the upsert.
        await publisher.publish(object="group/company", operation="delete", key="initech", data={}, job_id="example")
    print(f"{published + 1} records are in Kafka")


asyncio.run(main(*sys.argv[1:]))
