"""Logins that a test makes and withdraws while Kafka runs: AlterUserScramCredentials, which aiokafka does not know."""

# aiokafka has no types:
# mypy: allow-subclassing-any

import hashlib
import os

from aiokafka.conn import create_conn
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

SCRAM_SHA_512 = 2
ITERATIONS = 4096

Deletion = tuple[str, int, dict[int, bytes]]
Upsertion = tuple[str, int, int, bytes, bytes, dict[int, bytes]]


class _Response_v0(Response):  # noqa: N801  # as aiokafka names them
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString()),
                ("error_code", Int16),
                ("error_message", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Request_v0(RequestStruct):  # noqa: N801
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response_v0
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString()), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString()),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Request(Request[_Request_v0]):
    API_KEY = 51

    def __init__(self, deletions: list[Deletion], upsertions: list[Upsertion]) -> None:
        self._deletions = deletions
        self._upsertions = upsertions

    def build(self, request_struct_class: type[_Request_v0]) -> _Request_v0:
        return request_struct_class(self._deletions, self._upsertions, {})


async def allow_login(servers: str, user: str, password: str) -> None:
    """Let ``user`` log in by SCRAM-SHA-512 with ``password``."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    await _alter(servers, _Request([], [(user, SCRAM_SHA_512, ITERATIONS, salt, salted, {})]))


async def withdraw_login(servers: str, user: str) -> None:
    """Let ``user`` log in no more."""
    await _alter(servers, _Request([(user, SCRAM_SHA_512, {})], []))


async def _alter(servers: str, request: _Request) -> None:
    host, _, port = servers.partition(":")
    connection = await create_conn(host, int(port))
    try:
        answer = await connection.send(request)
    finally:
        await connection.close()
    assert [result[1] for result in answer.results] == [0], answer
