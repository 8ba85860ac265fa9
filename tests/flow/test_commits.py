"""Committed offsets mean something only in the log that they were committed for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.commits import Commit, CommitMetadata, Log, journal_start_of, start_of

LOG = Log("id", 10, 90)


def _commit(offset: int, topic_id: str = "id") -> Commit:
    return Commit(offset, CommitMetadata(topic_id=topic_id))


def test_metadata_survives_its_encoding() -> None:
    metadata = CommitMetadata(topic_id="a", journal=12_345, journal_id="b")
    assert CommitMetadata.decode(metadata.encode()) == metadata


def test_metadata_of_earlier_versions_names_no_topic() -> None:
    assert CommitMetadata.decode('{"journal":7}') == CommitMetadata(topic_id="", journal=7, journal_id="")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="a commit without metadata"),
        pytest.param("", id="an empty string"),
        pytest.param("by kafka-consumer-groups", id="no JSON"),
        pytest.param("[1]", id="another JSON"),
        pytest.param('{"journal":"x"}', id="another type"),
        pytest.param('{"journal":1e99}', id="a number that is no offset"),
        pytest.param("[" * 5000, id="JSON without an end"),
    ],
)
def test_foreign_metadata_is_none(text: str | None) -> None:
    assert CommitMetadata.decode(text) is None


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_metadata_is_read_without_harm(text: str) -> None:
    assert isinstance(CommitMetadata.decode(text), CommitMetadata | None)


@pytest.mark.parametrize(
    ("commit", "offset", "why", "settled_below"),
    [
        pytest.param(None, 10, "new", 10, id="no commit"),
        pytest.param(_commit(50), 50, "committed", 50, id="as committed"),
        pytest.param(_commit(10), 10, "committed", 10, id="at the beginning"),
        pytest.param(_commit(90), 90, "committed", 90, id="at the end"),
        pytest.param(_commit(50, ""), 50, "committed", 50, id="by an earlier version"),
        pytest.param(Commit(50, None), 50, "committed", 50, id="by somebody else"),
        pytest.param(_commit(50, "other"), 10, "made-anew", 10, id="another topic"),
        pytest.param(_commit(99, "other"), 10, "made-anew", 10, id="another topic, shorter"),
        pytest.param(_commit(99), 90, "cut-off", 90, id="beyond the end"),
        pytest.param(_commit(3), 10, "deleted", 3, id="below the beginning"),
        pytest.param(Commit(-5, None), 10, "deleted", -5, id="nonsense below"),
    ],
)
def test_lane_begins_where_its_commit_means_something(
    commit: Commit | None, offset: int, why: str, settled_below: int
) -> None:
    assert start_of(commit, LOG) == (LOG, offset, why, settled_below)


@pytest.mark.parametrize(
    ("metadata", "offset"),
    [
        pytest.param(None, 10, id="a commit of somebody else"),
        pytest.param(CommitMetadata(journal=50, journal_id="id"), 50, id="as committed"),
        pytest.param(CommitMetadata(journal=50), 50, id="by an earlier version"),
        pytest.param(CommitMetadata(journal=50, journal_id="other"), 10, id="another journal"),
        pytest.param(CommitMetadata(journal=3, journal_id="id"), 10, id="its oldest part deleted"),
        pytest.param(CommitMetadata(journal=91, journal_id="id"), 10, id="beyond the end"),
        pytest.param(CommitMetadata(journal=-1), 10, id="nonsense"),
    ],
)
def test_journal_is_read_whole_unless_its_place_means_something(metadata: CommitMetadata | None, offset: int) -> None:
    assert journal_start_of(Commit(7, metadata), LOG).offset == offset


def test_journal_is_read_whole_without_a_commit() -> None:
    assert journal_start_of(None, LOG).offset == 10


@pytest.mark.parametrize(
    ("commit", "topic_id", "clipped"),
    [
        pytest.param(_commit(30), "id", range(30, 60), id="what is settled by the commit is left out"),
        pytest.param(_commit(30), "", range(30, 60), id="an entry of an earlier version"),
        pytest.param(_commit(30), "other", range(0), id="another topic"),
        pytest.param(_commit(30, "other"), "", range(0), id="an earlier version, before the topic was made anew"),
        pytest.param(_commit(70), "id", range(70, 70), id="all is settled by the commit"),
    ],
)
def test_rows_are_clipped_to_the_log(commit: Commit, topic_id: str, clipped: range) -> None:
    assert start_of(commit, LOG).clip(topic_id, 20, 40) == clipped


def test_rows_from_before_every_log_are_none() -> None:
    assert start_of(_commit(30), LOG).clip("id", -5, 90) == range(0)


def test_rows_end_with_the_log() -> None:
    assert start_of(_commit(30), LOG).clip("id", 20, 10**18) == range(30, 90)
