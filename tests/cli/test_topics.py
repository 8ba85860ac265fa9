"""``sluice topics``."""

from sluice.cli.exits import Exit
from sluice.topics import topics_of
from tests.cli.conftest import Run, failure, success


def test_topics_are_made_once(no_topics: str, run: Run) -> None:
    names = topics_of("crm", no_topics).all
    first = success(run("topics", "create", "crm", "--partitions", "3", "--replication-factor", "1"))
    assert [line.split() for line in first.splitlines()] == [
        ["made", name, "with", "3", "partitions,", "1", "replicas"] for name in names
    ]
    second = run("topics", "create", "crm")
    assert [line.split() for line in second.stdout.splitlines()] == [["exists", name] for name in names]


def test_counts_are_never_changed(no_topics: str, run: Run) -> None:
    run("topics", "create", "crm", "--partitions", "3")
    sentence = failure(run("topics", "create", "crm", "--partitions", "4"), Exit.TOPICS)
    assert f"{no_topics}crm.records has 3 partitions and 4 were asked for" in sentence
    assert "leave --partitions out, or say 3" in sentence


def test_refusal_of_kafka_is_told(no_topics: str, run: Run) -> None:
    assert f"Kafka refuses to make the topic {no_topics}crm.records: Unable to replicate" in failure(
        run("topics", "create", "crm", "--replication-factor", "30"), Exit.TOPICS
    )


def test_a_count_that_would_end_a_broker_does_not_reach_it(no_topics: str, run: Run) -> None:
    refused = run("topics", "create", "crm", "--partitions", "2147483647")
    assert "2147483647 is not in the range 1<=x<=10000" in failure(refused, Exit.USAGE)


def test_list_shows_what_is_not_there(no_topics: str, run: Run) -> None:
    result = run("topics", "ls", "crm")
    assert result.exit_code == Exit.TOPICS
    assert result.stdout.count("missing") == len(topics_of("crm").all)
    assert "make it with `sluice topics create crm`" in result.stderr


def test_list_shows_counts(no_topics: str, run: Run) -> None:
    run("topics", "create", "crm", "--partitions", "3")
    name, partitions, replicas, topic_id, holds = success(run("topics", "ls", "crm")).splitlines()[1].split()
    assert (name, partitions, replicas, holds) == (f"{no_topics}crm.records", "3", "1", "RecordEvent")
    assert len(topic_id) == 22
