"""Kafka's refusals in words: what may not be done, and what a person must change."""

from collections.abc import Iterable

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InvalidSessionTimeoutError,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)


def describe_refusal(error: BaseException) -> str:
    """Return what Kafka refuses and what to do, for the errors that a person can end; any other as it is."""
    match error:
        case TopicAuthorizationFailedError():
            return f"Kafka does not let us use the topic {_names(error)}; grant READ and WRITE on it to our user"
        case GroupAuthorizationFailedError():
            return f"Kafka does not let us use the group {_names(error)}; grant READ on it to our user"
        case TransactionalIdAuthorizationFailed():
            return f"Kafka does not let us use the transactional id {_names(error)}; grant WRITE on it to our user"
        case InvalidSessionTimeoutError():
            return (
                "Kafka takes no session time-out as long as kafka.session_timeout_s; set one between the brokers' "
                "group.min.session.timeout.ms and group.max.session.timeout.ms"
            )
        case InvalidTimestampError():
            return f"Kafka takes no message with the time of this machine's clock ({error}); set the clock"
        case MessageSizeTooLargeError():
            return f"a message is larger than its topic takes ({error}); raise the topic's max.message.bytes"
        case KafkaError():
            return repr(error)
        case _:
            return str(error) or repr(error)


def _names(error: KafkaError) -> str:
    """Return the names that aiokafka gives as the error's argument, alone or in a set."""
    found: list[str] = []
    for argument in error.args:
        if isinstance(argument, str):
            found.append(argument)
        elif isinstance(argument, Iterable):
            found += map(str, argument)
    return ", ".join(sorted(found)) or "(not named)"
