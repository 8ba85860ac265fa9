"""Probe that asks a broker, in Kafka's own protocol, whether clients can work with its cluster.

Four requests are used instead of a client library: a client retries and logs by itself, and asks any broker; a probe
wants one plain answer from this broker, now. Layouts: https://kafka.apache.org/protocol (read 2026-11-22).
"""

import socket
import struct
from typing import NamedTuple

_OFFSET_FETCH, _METADATA, _FIND_COORDINATOR, _INIT_PRODUCER_ID = 9, 3, 10, 22
_GROUP, _TRANSACTION = 0, 1
_NAME = "sandbox-probe"  # a group without members, and an unused transactional id
_TIMEOUT_S = 5.0


class NotReadyError(Exception):
    """A broker that does not answer, or answers that clients would have to wait; the message says which."""


class Cluster(NamedTuple):
    cluster_id: str
    brokers: frozenset[int]
    """Node ids of the brokers that this broker believes alive."""


def describe_cluster(port: int) -> Cluster:
    answer = _ask(("127.0.0.1", port), _METADATA, 2, struct.pack(">i", 0))
    brokers = set()
    for _ in range(answer.number("i")):
        brokers.add(answer.number("i"))
        answer.string()  # host
        answer.number("i")  # port
        answer.string()  # rack
    return Cluster(answer.string(), frozenset(brokers))


def check_coordinators(port: int) -> None:
    """Return if a consumer group and a transactional producer can be served now, else raise NotReadyError.

    The first call on a fresh cluster makes Kafka create its internal topics, which takes a moment.
    """
    every_topic = struct.pack(">i", -1)
    offsets = _ask(_coordinator(port, _GROUP), _OFFSET_FETCH, 2, _string(_NAME) + every_topic)
    offsets.number("i")  # the number of topics, 0: nothing was ever committed
    _accept(offsets.number("h"), "reading a group's offsets")

    timeout_ms = struct.pack(">i", 60_000)
    producer = _ask(_coordinator(port, _TRANSACTION), _INIT_PRODUCER_ID, 1, _string(_NAME) + timeout_ms)
    producer.number("i")  # throttle time
    _accept(producer.number("h"), "starting a transactional producer")


def _coordinator(port: int, kind: int) -> tuple[str, int]:
    answer = _ask(("127.0.0.1", port), _FIND_COORDINATOR, 1, _string(_NAME) + struct.pack(">b", kind))
    answer.number("i")  # throttle time
    _accept(answer.number("h"), "finding the coordinator of " + ("a transaction" if kind else "a group"))
    answer.string()  # error message
    answer.number("i")  # node id
    return answer.string(), answer.number("i")


def _accept(error: int, action: str) -> None:
    if error:
        raise NotReadyError(f"{action}: error code {error} (https://kafka.apache.org/protocol#protocol_error_codes)")


def _ask(address: tuple[str, int], api: int, version: int, body: bytes) -> "_Answer":
    request = struct.pack(">hhi", api, version, 0) + _string(_NAME) + body
    try:
        with socket.create_connection(address, _TIMEOUT_S) as connection, connection.makefile("rb") as stream:
            connection.sendall(struct.pack(">i", len(request)) + request)
            (size,) = struct.unpack(">i", stream.read(4))
            return _Answer(stream.read(size)[4:])  # after the correlation id
    except (OSError, struct.error) as error:
        raise NotReadyError(f"{address[0]}:{address[1]} does not answer: {error}") from error


def _string(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


class _Answer:
    """Reader of a response, from its start to its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self, layout: str) -> int:
        size = struct.calcsize(">" + layout)
        value: int = struct.unpack(">" + layout, self._take(size))[0]
        return value

    def string(self) -> str:
        return self._take(max(0, self.number("h"))).decode()  # a length of -1 means null

    def _take(self, size: int) -> bytes:
        taken, self._data = self._data[:size], self._data[size:]
        return taken
