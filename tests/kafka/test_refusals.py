"""describe_refusal: a person reads what may not be done, and what to grant."""

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InvalidSessionTimeoutError,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from sluice.kafka.refusals import describe_refusal


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(TopicAuthorizationFailedError({"b", "a"}), ["topic a, b;", "WRITE"], id="topics"),
        pytest.param(TopicAuthorizationFailedError("a"), ["topic a;"], id="a topic"),
        pytest.param(TopicAuthorizationFailedError(), ["topic (not named);"], id="a topic without a name"),
        pytest.param(GroupAuthorizationFailedError("g"), ["group g;", "READ"], id="a group"),
        pytest.param(TransactionalIdAuthorizationFailed("t"), ["transactional id t;", "WRITE"], id="a lane"),
        pytest.param(MessageSizeTooLargeError("x"), ["max.message.bytes"], id="a message"),
        pytest.param(InvalidSessionTimeoutError(), ["kafka.session_timeout_s"], id="a session"),
        pytest.param(InvalidTimestampError("x"), ["set the clock"], id="a clock"),
        pytest.param(KafkaError("no leader"), ["no leader"], id="anything else"),
    ],
)
def test_refusal_names_what_is_refused_and_what_to_do(error: KafkaError, words: list[str]) -> None:
    assert [word for word in words if word not in describe_refusal(error)] == []
