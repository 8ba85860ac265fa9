"""The result of a bulk handler names every record, in the order in which it was written."""

from sluice.client.bulk import bulk
from sluice.client.connection import Connection
from tests.support.fake_writer import fake_writer, reject_bad


async def test_result_says_what_became_of_each_record(connection: Connection) -> None:
    async with fake_writer(connection, reject_bad), bulk("crm", connection, object="group/company") as handler:
        for number in range(20):
            handler.write(f"c-{number}", {"name": "bad" if number == 7 else "good"})

    result = handler.result
    assert [item.index for item in result.successful] == [*range(7), *range(8, 20)]
    assert result.counts == {"CREATED": 19, "INVALID": 1}
    assert result.open == 0
    (failed,) = result.failed
    assert (failed.index, failed.input.key, failed.input.data) == (7, "c-7", {"name": "bad"})
    assert (failed.outcome, failed.code, failed.message) == ("rejected", "INVALID", "no such field")
