"""The story of Salesforce, small, as a user runs it, and how a story is chosen."""

import re

import pytest

from demo.salesforce.baseball import Baseball
from tests.demo.running import demo


@pytest.mark.parametrize("api", [pytest.param("1.0", id="Bulk API 1.0"), pytest.param("2.0", id="Bulk API 2.0")])
def test_salesforce_gets_each_record_once_through_a_restart_a_lost_answer_and_an_outage(api: str) -> None:
    with demo("--vendor", "salesforce", "--api", api, "--records", "500", "--outage-s", "2") as process:
        output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert re.search(r"(\d,\d\d\d) records published, \1 in crm.records, \1 receipts", output)
    assert re.search(r"delivered +Account +Created +1,327 +1,327", output)
    assert re.search(r"delivered +Contact +Created +500 +500", output)
    assert re.search(r"delivered +Task +Created +(\d+) +\1 ", output)
    assert len(re.findall(r"^    dead letter ", output, re.M)) == 9
    assert re.search(r"^ours .* Contact/upsert/Ext__c +submitted +(Queued|UploadComplete)", output, re.M)
    assert len(re.findall(r"a writer is told to stop, and ends with exit code 0", output)) == 2
    assert re.search(r"the restart: [1-9]\d* batches were submitted by one writer and collected by another", output)
    assert "lost answers: 1; looked for at Salesforce: 1 found" in output
    assert re.search(r"the outage: [1-9]\d* questions were answered with 503", output)
    assert "records that it applied more than once: 0" in output
    assert "every record had exactly one receipt" in output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--vendor", "sap"], "'sap' is not one of 'blueconic', ", id="an unknown vendor"),
        pytest.param(["--api", "2.0"], "--api chooses an API of Salesforce", id="an API without its vendor"),
    ],
)
def test_a_wrong_choice_is_said_before_anything_starts(options: list[str], said: str) -> None:
    with demo(*options) as process:
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said in output


def test_every_player_has_a_club_and_every_ballot_a_player() -> None:
    baseball = Baseball(None)
    clubs = {row["Ext__c"] for row in baseball.accounts.rows}
    players = [row["Ext__c"] for row in baseball.contacts.rows]
    assert {row["Account.Ext__c"] for row in baseball.contacts.rows} <= clubs
    assert {ballot.data["Contact:Who.Ext__c"] for ballot in baseball.ballots} <= set(players)
    assert len({player.casefold() for player in players}) == len(players) == 19_898


def test_no_two_ballots_have_one_subject() -> None:
    subjects = [ballot.data["Subject"] for ballot in Baseball(None).ballots]
    assert len(set(subjects)) == len(subjects) == 4_120
