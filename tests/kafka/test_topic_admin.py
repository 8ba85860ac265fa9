"""Topics that are missing are named with the command that makes them."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher
from sluice.dead_letters.selection import open_dead_letters
from sluice.kafka.topic_admin import TopicsError
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_connection

Open = Callable[[str, Connection], AbstractAsyncContextManager[object]]


@pytest.mark.parametrize(
    ("open_client", "missing"),
    [
        pytest.param(Publisher, ["records"], id="publisher"),
        pytest.param(outcomes, ["succeeded", "dead-letters"], id="outcomes"),
        pytest.param(open_dead_letters, ["records", "dead-letters", "control"], id="dead letters"),
    ],
)
async def test_missing_topics_are_named(
    kafka: RunningKafka, prefix: str, open_client: Open, missing: list[str]
) -> None:
    names = ", ".join(f"{prefix}crm.{role}" for role in missing)
    with pytest.raises(TopicsError, match=re.escape(f"no topic {names}; make it with `sluice topics create crm`")):
        async with open_client("crm", crm_connection(kafka, prefix)):
            pass
