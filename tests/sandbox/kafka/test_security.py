"""Secured listeners with a client that is not Sluice's."""

import ssl

import pytest
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from tests.support.secured import EACH_SECURED, MUTUAL_TLS, SHORT_LIVED, TLS, connect


@pytest.mark.parametrize("security", EACH_SECURED)
async def test_a_listener_lets_in_who_has_what_it_says(local_kafka: LocalKafka, security: Security) -> None:
    await connect(local_kafka, security)


async def test_a_wrong_password_is_refused(local_kafka: LocalKafka) -> None:
    with pytest.raises(SaslAuthenticationFailed):
        await connect(local_kafka, SHORT_LIVED, sasl_plain_password="wrong")


async def test_a_client_without_certificate_is_refused(local_kafka: LocalKafka) -> None:
    context = ssl.create_default_context(cafile=local_kafka.settings_block(TLS)["tls"]["ca_file"])
    with pytest.raises(KafkaError):
        await connect(local_kafka, MUTUAL_TLS, ssl_context=context)


async def test_the_certificate_has_one_name(local_kafka: LocalKafka) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(local_kafka, TLS, host="127.0.0.1")
