"""Everything around a writer but the writer: real Kafka topics, a vendor that is served here, a settings file."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from sandbox.blueconic.vendor import BlueConic
from sandbox.ledger.ledger import LedgerEntry, LedgerFilter
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sandbox.vendor import Vendor
from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.receipts import DeadLetter, Receipt
from sluice.events import Headers, Key, Operation, encode_event
from sluice.kafka.clients import client_options
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.records import make_record, ordering_key
from tests.support.kafka_admin import RunningKafka
from tests.support.secured import settings_block
from tests.support.topics import crm_connection
from tests.support.writer_process import DESTINATION, WriterProcess

SESSION_TIMEOUT_S = 6
"""The shortest that a broker allows: so long a killed writer's lanes wait for their next owner."""
TIMEOUT_S = 2.0
SETTLE_S = 4.0
"""Longer than the vendor works on after a time-out here."""

Place = tuple[int, int]
"""Partition and offset in the records topic: what every record is called, also one that has no other name."""


class Message(NamedTuple):
    """A message for the records topic; a partition where it must be a certain one."""

    key: bytes | None
    value: bytes | None
    headers: Headers = []  # noqa: RUF012  # never changed
    partition: int | None = None


def record(key: Key, *, object: str = "group/company", operation: Operation = "upsert", **data: Any) -> Message:  # noqa: A002
    """A record as a publisher would send it."""
    event = make_record(object=object, operation=operation, key=key, data=data)
    return Message(ordering_key(event), encode_event(event))


def source_of(receipt: Receipt) -> Place:
    source = receipt.source if isinstance(receipt, DeadLetter) else receipt.event.source
    assert source is not None
    return source.partition, source.offset


def code_of(receipt: Receipt) -> str:
    """The vendor's word, or ours."""
    return receipt.code if isinstance(receipt, DeadLetter) else receipt.event.status


def change_settings(config: Path, **blocks: Any) -> Path:
    """Replace whole blocks of a settings file, at its top."""
    config.write_text(json.dumps({**json.loads(config.read_text(encoding="utf-8")), **blocks}), encoding="utf-8")
    return config


class StagedKind(NamedTuple):
    """The account of a kind as its stand-in takes it, and the program that knows the kind."""

    account: Mapping[str, Any]
    module: str = "sluice.writer"


BLUECONIC = StagedKind(
    {"kind": "blueconic", "client_id": "sandbox", "client_secret": "sandbox-secret", "read_lag_s": 1}
)

DEPOT = StagedKind({"kind": "depot", "key": "depot-secret"}, "tests.destinations.depot.writer")
"""An invented vendor that runs batches as jobs."""


class Stage:
    """One destination ``crm`` with a Kafka, a vendor, and the writers that a test starts."""

    def __init__(
        self, connection: Connection, directory: Path, app: App, stack: AsyncExitStack, kind: StagedKind
    ) -> None:
        self._kind = kind
        self.connection = connection
        self.topics = connection.topics(DESTINATION)
        self.directory = directory
        self.app = app
        self.writers: list[WriterProcess] = []
        self._stack = stack
        self._serving = AsyncExitStack()
        self._port = 0

    @property
    def url(self) -> str:
        """The vendor's address."""
        return f"http://127.0.0.1:{self._port}"

    async def open_vendor(self) -> None:
        """Serve; again at the same address, with all it held, after :meth:`close_vendor`."""
        url = await self._serving.enter_async_context(serve(self.app, port=self._port))
        self._port = int(url.rpartition(":")[2])

    async def close_vendor(self) -> None:
        """From now on connections are refused."""
        await self._serving.aclose()

    def settings(self, **entry: Any) -> Path:
        """A settings file; ``entry`` overrides parts of the destination's, whole blocks or keys in them."""
        vendor = {"url": self.url, **self._kind.account}
        polls = {"poll_base_s": 0.2, "poll_cap_s": 0.5}
        destination: dict[str, Any] = {
            "to": {"timeout_s": TIMEOUT_S, "settle_s": SETTLE_S, **vendor},
            "window": {"max_items": 50, "max_age_s": 0.1},
            "delivery": {"backoff_base_s": 0.1, "backoff_cap_s": 0.5, "drain_timeout_s": 5, **polls},
            "guard": {"max_share": 1},
        }
        for name, block in entry.items():
            destination[name] = {**destination[name], **block} if isinstance(block, dict) else block
        path = self.directory / f"sluice-{len(list(self.directory.glob('*.yaml')))}.yaml"
        kafka = {**settings_block(self.connection.kafka), "session_timeout_s": SESSION_TIMEOUT_S}
        whole = {
            "kafka": kafka,
            "topic_prefix": self.connection.topic_prefix,
            "destinations": {DESTINATION: destination},
            "http": {"host": "127.0.0.1", "port": 0},
        }
        path.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
        return path

    def writer(self, config: Path, *arguments: str, module: str | None = None) -> WriterProcess:
        """A writer that has been started, not waited for; of the kind's own ``module`` unless one is named."""
        log = self.directory / f"writer-{len(self.writers) + 1}.log"
        writer = WriterProcess(config, log, *arguments, module=module or self._kind.module)
        self._stack.callback(writer.close)
        self.writers.append(writer)
        return writer

    async def publish(self, messages: Iterable[Message], *, topic: str | None = None) -> list[Place]:
        """Publish ``messages`` in their order, to the records topic unless another is named; where each stands."""
        options = client_options(self.connection.kafka)
        async with AIOKafkaProducer(**options, enable_idempotence=True) as producer:
            sent = [
                await producer.send(
                    topic or self.topics.records, one.value, one.key, one.partition, headers=one.headers
                )
                for one in messages
            ]
            written = await asyncio.gather(*sent)
        return [(one.partition, one.offset) for one in written]

    async def settled(self, sources: Sequence[Place], *, within_s: float = 90.0) -> dict[Place, Receipt]:
        """Wait until each of ``sources`` has a receipt. Raises ``AssertionError`` if one has two by then."""
        missing, found = set(sources), dict[Place, Receipt]()
        try:
            async with asyncio.timeout(within_s):
                async for receipt in outcomes(DESTINATION, self.connection, since="beginning"):
                    missing.discard(source_of(receipt))
                    if not missing:
                        break
        except TimeoutError:
            logs = "\n".join(writer.log_text()[-3000:] for writer in self.writers)
            raise AssertionError(f"no receipt for {len(missing)}, such as {sorted(missing)[:5]}:\n{logs}") from None
        wanted = set(sources)
        for receipt in await self.receipts():
            source = source_of(receipt)
            if source in wanted:
                assert source not in found, f"{source} has two receipts: {found[source]} and {receipt}"
                found[source] = receipt
        return found

    async def receipts(self) -> list[Receipt]:
        """All that are there now."""
        async with asyncio.timeout(60):
            stream = outcomes(DESTINATION, self.connection, since="beginning", until_end=True)
            return [receipt async for receipt in stream]

    def sent(self, source: Place) -> list[LedgerEntry]:
        """What the vendor got of a record."""
        return list(self.app.vendor.ledger.entries(LedgerFilter(identifier=f"{source[0]}-{source[1]}")))


@asynccontextmanager
async def staged(
    kafka: RunningKafka,
    prefix: str,
    directory: Path,
    *,
    lanes: int = 2,
    vendor: Vendor | None = None,
    kind: StagedKind = BLUECONIC,
    make_app: Callable[[Vendor], App] = App,
) -> AsyncIterator[Stage]:
    """Topics made and the vendor served; at the end no writer is left."""
    connection = crm_connection(kafka, prefix)
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, DESTINATION, prefix, partitions=lanes)
    async with AsyncExitStack() as stack:
        stage = Stage(connection, directory, make_app(vendor or BlueConic()), stack, kind)
        await stage.open_vendor()
        stack.push_async_callback(stage.close_vendor)
        yield stage
