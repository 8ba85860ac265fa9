"""A redrive in a process of its own, to be killed: ``python -m tests.support.redrive_process SERVERS PREFIX CODE``."""

import asyncio
import logging
import sys

from sluice.client.connection import Connection
from sluice.dead_letters.redrive import Redrive, RedriveFailed
from sluice.dead_letters.redrive_plan import RedriveRules
from sluice.dead_letters.selection import Selection
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings


async def _redrive(servers: str, prefix: str, code: str) -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers=servers), topic_prefix=prefix)
    redrive = Redrive("crm", connection, Selection(codes=(code,)), RedriveRules())
    async for _ in redrive.run():
        sys.stdout.write(f"{redrive.progress.sent}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_redrive(*sys.argv[1:]))
    except (RedriveFailed, KafkaUnreachable) as error:
        sys.exit(f"redrive: {error}")
