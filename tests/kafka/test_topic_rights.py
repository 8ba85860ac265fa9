"""A missing right is named with its topic, and with the command that gives it."""

from sluice.kafka.settings import KafkaSettings, SaslSettings, TlsSettings
from sluice.kafka.topic_rights import Right, explain_missing, rights_of, writer_rights
from sluice.setting_types import Secret
from sluice.topics import topics_of

TOPICS = topics_of("crm")
NEEDED = writer_rights(TOPICS)
KAFKA = KafkaSettings(
    bootstrap_servers="k:9092", sasl=SaslSettings(mechanism="PLAIN", username="sluice", password=Secret("x"))
)


def test_bits_are_kafkas_numbers_of_operations() -> None:
    assert rights_of(0b1_0001_1000) == {Right.READ, Right.WRITE, Right.DESCRIBE}
    assert rights_of(0b1_0000_0100) == {Right.DESCRIBE}


def test_a_writer_needs_no_more_than_it_uses() -> None:
    named = {topic: {right.name for right in rights} - {"DESCRIBE"} for topic, rights in NEEDED.items()}
    assert named == {
        "crm.records": {"READ"},
        **{topic: {"READ", "WRITE"} for topic in TOPICS.inputs[1:]},
        "crm.succeeded": {"WRITE"},
        "crm.dead-letters": {"WRITE"},
        "crm.batches": {"READ", "WRITE"},
        "crm.results": set(),
        "crm.control": {"READ", "WRITE"},
    }


def test_no_missing_right_is_no_sentence() -> None:
    assert explain_missing(NEEDED, NEEDED, KAFKA) is None


def test_missing_rights_are_named_with_what_gives_them() -> None:
    given = NEEDED | {
        "crm.succeeded": frozenset([Right.DESCRIBE]),
        "crm.batches": frozenset(),
        "crm.results": frozenset(),
    }
    add = "kafka-acls.sh --bootstrap-server k:9092 --add --allow-principal 'User:sluice' --operation"
    assert explain_missing(NEEDED, given, KAFKA) == (
        "Kafka does not let this client READ crm.batches nor WRITE crm.succeeded, crm.batches nor DESCRIBE crm.results"
        f"; allow it: {add} Read --topic crm.batches && {add} Write --topic crm.succeeded --topic crm.batches && "
        f"{add} Describe --topic crm.results"
    )


def test_who_has_no_name_is_named_as_kafka_does() -> None:
    given = NEEDED | {"crm.succeeded": frozenset([Right.DESCRIBE])}
    certificate = TlsSettings(cert_file="client.pem", key_file="client.key")
    assert "'User:ANONYMOUS'" in str(explain_missing(NEEDED, given, KafkaSettings(bootstrap_servers="k:9092")))
    mutual = KafkaSettings(bootstrap_servers="k:9092", tls=certificate)
    assert "'User:<subject of kafka.tls.cert_file>'" in str(explain_missing(NEEDED, given, mutual))
