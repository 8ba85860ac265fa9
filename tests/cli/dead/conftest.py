"""Dead letters of ``crm``, and what was redriven of them."""

import asyncio
from collections.abc import Sequence

import pytest

from sluice.client.connection import Connection
from sluice.flow.outcome import Fate
from sluice.writer.lanes.receipt_messages import Failure
from tests.support.letters import LOST, UNKNOWN_FIELD, Letter, bury
from tests.support.topics import read_all

OTHER_FIELD = UNKNOWN_FIELD._replace(message='field "adress" of c-18 is unknown')
POISON = Failure(Fate.REJECTED, "not-a-record-event", "expected a RecordEvent as JSON")
LETTERS = [
    Letter("a", data={"nmae": "Acme"}),
    Letter("b", OTHER_FIELD, data={"nmae": "Bolt", "n": 1.1}),
    Letter("c", LOST, partition=1, object_="profile"),
    Letter("d", POISON, partition=1, value=b"\x00\xffbytes"),
]


@pytest.fixture
def dead(crm: Connection) -> Connection:
    """Write two letters of one reason, one of unknown outcome, and one that is no record event."""
    asyncio.run(bury(crm, LETTERS))
    return crm


def records(connection: Connection) -> Sequence[bytes]:
    """Return the values in the records topic of ``crm``."""
    found = asyncio.run(read_all(connection, connection.topics("crm").records))
    return [record.value for record in found]
