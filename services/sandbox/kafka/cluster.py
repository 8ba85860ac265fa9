"""A real Apache Kafka on this machine, in KRaft mode, that needs nothing but Python.

    with LocalKafka(brokers=3) as kafka:
        publish_to(kafka.bootstrap_servers)
        kafka.broker(1).kill()
        kafka.broker(1).start()

Every call blocks: a coroutine wraps it in ``asyncio.to_thread``. No broker outlives the process that started it.
"""

import base64
import contextlib
import fcntl
import random
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from sandbox.kafka.broker import Broker, LocalKafkaError, wait_until_ready
from sandbox.kafka.jars import kafka_jars
from sandbox.kafka.probe import NotReadyError, check_coordinators, describe_cluster
from sandbox.kafka.security import HOST, Credentials, Security

# Below the ranges from which Linux (32768 and up) and others (49152 and up) take ports for outgoing connections.
_PORTS = range(10_000, 32_000)
_PORT_ATTEMPTS = 5


class LocalKafka:
    """A cluster of ``brokers`` processes, ready when ``start`` returns and gone when ``stop`` returns.

    Three brokers or more survive the loss of one: topics are replicated three times, two copies acknowledge. ``data``
    keeps the cluster, its id and its topics for the next start; without it the data is temporary. ``port`` is the first
    broker's, the next ones follow it; without it free ports are chosen. Each of ``secured`` is a further listener of
    every broker, with ports after the plain ones. ``settings`` are Kafka's own and override those chosen here. Raises
    LocalKafkaError, and DownloadError when the jars cannot be downloaded.
    """

    def __init__(
        self,
        *,
        brokers: int = 1,
        data: Path | None = None,
        port: int | None = None,
        heap_mb: int = 512,
        secured: Sequence[Security] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.brokers: list[Broker] = []
        """Brokers in the order of their node ids, which count from 0."""
        self.cluster_id = ""
        self._count = brokers
        self._data = data.resolve() if data else None
        self._port = port
        self._heap_mb = heap_mb
        self._secured = list(secured)
        self._secured_ports: list[list[int]] = []
        self._settings = dict(settings or {})
        self._temporary: Path | None = None
        self._lock = contextlib.ExitStack()

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"localhost:{broker.port}" for broker in self.brokers)

    def settings_block(self, security: Security) -> dict[str, Any]:
        """Return the block ``kafka`` of Sluice's settings for one of the ``secured`` listeners."""
        ports = self._secured_ports[self._secured.index(security)]
        servers = ",".join(f"{HOST}:{port}" for port in ports)
        return {"bootstrap_servers": servers, **self._credentials.client_settings(security)}

    def broker(self, node_id: int) -> Broker:
        return self.brokers[node_id]

    def start(self) -> None:
        kafka_jars()  # once, before several brokers ask for them
        if self._data is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="sluice-kafka-"))
        directory = self._data or self._temporary
        assert directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock.enter_context(_lock(directory))
            self.cluster_id = _cluster_id(directory, self._count)
            self._credentials = Credentials(directory / "certificates")
            self._start_on_free_ports(directory)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        # Temporary data needs no clean shutdown. Kept data gets one, of all brokers at once: when they are stopped one
        # after the other, the rest wait in vain for the quorum that is lost with the first two.
        end = Broker.kill if self._temporary else Broker.stop
        with ThreadPoolExecutor(max(1, len(self.brokers))) as pool:
            list(pool.map(end, self.brokers))
        self._lock.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_on_free_ports(self, directory: Path) -> None:
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self.brokers = self._make_brokers(directory)
            try:
                with ThreadPoolExecutor(self._count) as pool:
                    list(pool.map(Broker.launch, self.brokers))
                wait_until_ready(self._check_ready, self.brokers)
            except LocalKafkaError as error:
                # The port was free when chosen, and taken by another process since.
                if "Address already in use" not in str(error) or self._port or attempt == _PORT_ATTEMPTS:
                    raise
                for broker in self.brokers:
                    broker.kill()
            else:
                return

    def _make_brokers(self, directory: Path) -> list[Broker]:
        count = self._count
        voters = 3 if count >= 3 else 1  # a quorum of two would be lost with either of them
        listeners = count * (1 + len(self._secured))
        free = _free_ports(listeners + voters)
        ports = [self._port + i for i in range(listeners)] if self._port else free[:listeners]
        controllers = free[listeners:]
        self._secured_ports = [ports[first : first + count] for first in range(count, listeners, count)]
        common = _shared_settings(count) | {
            "controller.quorum.voters": ",".join(f"{i}@127.0.0.1:{p}" for i, p in enumerate(controllers)),
        }
        return [
            Broker(
                port=ports[node],
                directory=directory / f"broker-{node}",
                cluster_id=self.cluster_id,
                settings=common | self._node_settings(node, ports[node], controllers) | self._settings,
                heap_mb=self._heap_mb,
                temporary=self._temporary,
            )
            for node in range(count)
        ]

    def _node_settings(self, node: int, port: int, controllers: list[int]) -> dict[str, str]:
        secured = list(zip(self._secured, [ports[node] for ports in self._secured_ports], strict=True))
        listeners = [f"PLAINTEXT://127.0.0.1:{port}", *(f"{one.name}://127.0.0.1:{at}" for one, at in secured)]
        advertised = [f"PLAINTEXT://{HOST}:{port}", *(f"{one.name}://{HOST}:{at}" for one, at in secured)]
        if node < len(controllers):
            listeners.append(f"CONTROLLER://127.0.0.1:{controllers[node]}")
        protocols = ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"]
        protocols += [f"{one.name}:{one.protocol}" for one in self._secured]
        settings = {
            "node.id": str(node),
            "process.roles": "broker,controller" if node < len(controllers) else "broker",
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(advertised),
            "listener.security.protocol.map": ",".join(protocols),
        }
        for one in self._secured:
            settings |= self._credentials.broker_settings(one)
        return settings

    def _check_ready(self) -> None:
        for broker in self.brokers:
            cluster = describe_cluster(broker.port)
            if cluster.cluster_id != self.cluster_id:
                raise NotReadyError(f"port {broker.port} belongs to another Kafka cluster, {cluster.cluster_id}")
            if len(cluster.brokers) < self._count:
                raise NotReadyError(f"broker {broker.node_id} knows {len(cluster.brokers)} of {self._count}")
        check_coordinators(self.brokers[0].port)


def _shared_settings(brokers: int) -> dict[str, str]:
    replicas = min(3, brokers)
    in_sync = 2 if replicas == 3 else 1
    return {
        "controller.listener.names": "CONTROLLER",
        "auto.create.topics.enable": "false",  # a missing topic is an error, not a topic with one partition
        "num.partitions": "1",
        "default.replication.factor": str(replicas),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": str(in_sync),
        # 8 instead of 50: each partition is a directory, and needs a leader elected when a broker is lost.
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "8",
        "group.initial.rebalance.delay.ms": "0",  # the default makes every consumer group wait 3 s
        "log.cleaner.dedupe.buffer.size": "16777216",  # the default is 128 MB, allocated at the start
        # A killed broker is replaced, and may return, within 4 s instead of 9.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "1000",
    }


@contextlib.contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """Lock ``directory``: Kafka itself locks it only after it has read, and perhaps truncated, its log."""
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalKafkaError(
                f"{directory} is in use by another local Kafka; stop that one, or name another directory"
            ) from None
        yield


def _cluster_id(directory: Path, brokers: int) -> str:
    """Return the id of the cluster whose data is in ``directory``, or make one and store it there."""
    found = len(list(directory.glob("broker-*")))
    if found and found != brokers:
        raise LocalKafkaError(
            f"{directory} holds the data of {found} broker(s), but {brokers} were asked for; "
            "ask for that many, or name another directory"
        )
    file = directory / "cluster-id"
    if not file.exists():
        # Kafka's form of a UUID: 22 characters, not beginning with a dash.
        file.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_"))
    return file.read_text()


def _free_ports(count: int) -> list[int]:
    """Return different ports that nobody listens on now."""
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.sample(_PORTS, 1_000):
            if len(ports) == count:
                break
            listener = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                ports.append(port)
    return ports
