"""Read what became of the records of one job, up to now.

    python examples/consume.py [sluice.yaml [job id]]

A service that follows every receipt, restarts included, passes ``group_id="my-service"`` in place of ``job_id`` and
``until_end``: Kafka then remembers how far it has read.
"""

import asyncio
import sys

from sluice import DeadLetter, Succeeded, outcomes


async def main(settings: str = "sluice.yaml", job_id: str = "example") -> None:
    async for receipt in outcomes("crm", settings, job_id=job_id, until_end=True):
        match receipt:
            case Succeeded(event=event):
                print(f"{event.key}: {event.outcome}, the vendor says {event.status}")
            case DeadLetter(error_class=error_class, code=code, message=message, event=event):
                key = event.key if event else "bytes that are no record event"
                print(f"{key}: {error_class}, {code}: {message}")


asyncio.run(main(*sys.argv[1:]))
