"""A redrive in a process of its own, to be killed: ``python -m tests.support.redrive_process SERVERS PREFIX CODE``."""

import asyncio
import logging
import sys

from sluice.client.connection import Connection
from sluice.dead_letters.redrive import RedriveFailed, RedriveResult, redrive
from sluice.dead_letters.selection import Selection
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings


def _say(result: RedriveResult) -> None:
    sys.stdout.write(f"{result.sent}\n")
    sys.stdout.flush()


async def _redrive(servers: str, prefix: str, code: str) -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers=servers), topic_prefix=prefix)
    await redrive(connection, "crm", Selection(codes=(code,)), on_sent=_say)


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_redrive(*sys.argv[1:]))
    except (RedriveFailed, KafkaUnreachable) as error:
        sys.exit(f"redrive: {error}")
