"""Rights that a test takes away and gives back while Kafka runs: ACLs, which aiokafka does not know."""

# aiokafka has no types:
# mypy: allow-subclassing-any

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from sluice.kafka.topic_rights import Right

ACCESS_CONTROL = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
"""Settings of a broker that lets everybody do everything, except where a test has said otherwise."""
_TOPIC, _LITERAL, _DENY, _ALLOW, _ALL = 2, 3, 2, 3, 2
EVERYBODY, NOBODY_IN_PARTICULAR = "User:*", "User:ANONYMOUS"

_ACL = (
    ("resource_type", Int8),
    ("resource_name", String()),
    ("pattern_type", Int8),
    ("principal", String()),
    ("host", String()),
    ("operation", Int8),
    ("permission", Int8),
)


class _CreateResponse_v1(Response):  # noqa: N801  # as aiokafka names them
    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(("throttle_time_ms", Int32), ("results", Array(("error_code", Int16), ("error_message", String()))))


class _CreateRequest_v1(RequestStruct):  # noqa: N801
    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = _CreateResponse_v1
    SCHEMA = Schema(("creations", Array(*_ACL)))


class _DeleteResponse_v1(Response):  # noqa: N801
    API_KEY = 31
    API_VERSION = 1
    _MATCH = (("error_code", Int16), ("error_message", String()), *_ACL)
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", Array(("error_code", Int16), ("error_message", String()), ("matches", Array(*_MATCH)))),
    )


class _DeleteRequest_v1(RequestStruct):  # noqa: N801
    API_KEY = 31
    API_VERSION = 1
    RESPONSE_TYPE = _DeleteResponse_v1
    SCHEMA = Schema(("filters", Array(*_ACL)))


class _Create(Request[_CreateRequest_v1]):
    API_KEY = 30

    def __init__(self, acls: list[tuple[Any, ...]]) -> None:
        self._acls = acls

    def build(self, request_struct_class: type[_CreateRequest_v1]) -> _CreateRequest_v1:
        return request_struct_class(self._acls)


class _Delete(Request[_DeleteRequest_v1]):
    API_KEY = 31

    def __init__(self, acls: list[tuple[Any, ...]]) -> None:
        self._acls = acls

    def build(self, request_struct_class: type[_DeleteRequest_v1]) -> _DeleteRequest_v1:
        return request_struct_class(self._acls)


@asynccontextmanager
async def without(right: Right, topic: str, servers: str) -> AsyncIterator[None]:
    """Take ``right`` on ``topic`` from clients that do not log in, for as long as the body runs."""
    denied = (_TOPIC, topic, _LITERAL, NOBODY_IN_PARTICULAR, "*", right.value, _DENY)
    # Where there is any ACL, what none of them allows is denied.
    await _send(servers, _Create([(_TOPIC, topic, _LITERAL, EVERYBODY, "*", _ALL, _ALLOW), denied]))
    try:
        yield
    finally:
        await _send(servers, _Delete([denied]))


async def _send(servers: str, request: _Create | _Delete) -> None:
    host, _, port = servers.partition(":")
    connection = await create_conn(host, int(port))
    try:
        answer = await connection.send(request)
    finally:
        await connection.close()
    assert not any(result[0] for result in answer.results), answer
