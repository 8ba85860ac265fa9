"""Topics: names and order of a destination's topics, from the catalogue alone."""

from sluice.topics import catalogue, topic_configs, topics_of


def test_topics_are_named_after_their_destination() -> None:
    topics = topics_of("crm")
    assert (topics.records, topics.succeeded) == ("crm.records", "crm.succeeded")
    assert (topics.dead_letters, topics.batches, topics.results) == ("crm.dead-letters", "crm.batches", "crm.results")


def test_inputs_are_records_and_then_retries_by_rising_delay() -> None:
    topics = topics_of("crm")
    assert topics.inputs == ("crm.records", *[f"crm.retries.{delay}" for delay in ("30s", "2m", "10m", "1h")])
    assert [tier.delay_s for tier in topics.retries] == [30, 120, 600, 3600]


def test_every_topic_carries_the_prefix() -> None:
    assert topics_of("crm", "eu-test.").all == tuple("eu-test." + name for name in topics_of("crm").all)


def test_every_topic_of_the_catalogue_is_a_topic_of_the_destination() -> None:
    topics = topics_of("crm").all
    assert sorted(topics) == sorted(topic_configs("crm"))
    assert len(set(topics)) == len(catalogue().topics)


def test_destinations_share_no_topic() -> None:
    assert not set(topics_of("crm").all) & set(topics_of("crm2").all)


def test_no_topic_that_the_writer_needs_again_is_compacted() -> None:
    policies = {name: config["cleanup.policy"] for name, config in topic_configs("crm").items()}
    assert policies.pop(topics_of("crm").control) == "compact"  # of a key only the last state counts
    assert set(policies.values()) == {"delete"}


def test_retries_are_kept_as_long_as_records() -> None:
    configs = topic_configs("crm")
    kept_ms = {name: int(config.get("retention.ms", 0)) for name, config in configs.items()}
    topics = topics_of("crm")
    assert all(kept_ms[tier.name] >= kept_ms[topics.records] for tier in topics.retries)
    assert kept_ms[topics.batches] >= kept_ms[topics.records]
