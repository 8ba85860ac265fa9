"""A stage for one kind: its topics, its watched stand-in, and a writer of its own."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from sandbox.otlp.receiver import OtlpReceiver
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sluice.client.receipts import DeadLetter, Receipt, Succeeded
from tests.destinations.contract.sandboxed_kind import TO, SandboxedKind
from tests.destinations.contract.watched_app import WatchedApp
from tests.support.group_members import expel_members
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Message, Stage, change_settings, code_of, staged
from tests.support.writer_process import WriterProcess

MAX_ITEMS, MAX_BYTES = 20, 4_000
"""Limits of a window, far below those of any vendor."""
LANES = 2


class KindStage:
    """One kind with its stand-in, and the writer that delivers to it."""

    def __init__(self, kind: SandboxedKind, stage: Stage, app: WatchedApp, receiver: OtlpReceiver, otlp: str) -> None:
        self.kind = kind
        self.stage = stage
        self.app = app
        self.spans = receiver.spans
        window = {"max_items": MAX_ITEMS, "max_bytes": MAX_BYTES, "max_age_s": 0.2}
        config = stage.settings(to=TO, window=window)
        self.config = change_settings(config, tracing={"otlp_endpoint": otlp, "sample_ratio": 0})
        self.writer: WriterProcess = self.start_writer()

    def start_writer(self) -> WriterProcess:
        """Start one more writer, which is the one that :attr:`writer` names from now on."""
        self.writer = self.stage.writer(self.config)
        return self.writer

    async def replace_killed_writer(self) -> None:
        """Start another writer for one that was killed, without the wait for the end of its session."""
        await self.writer.ended()
        servers = self.stage.connection.kafka.bootstrap_servers
        await expel_members(servers, f"{self.stage.connection.topic_prefix}crm.writer")
        self.start_writer()

    async def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """Publish ``messages`` and return their receipts in the same order."""
        places = await self.stage.publish(messages)
        receipts = await self.stage.settled(places)
        return [receipts[place] for place in places]

    def times_applied(self, keys: Iterable[str]) -> list[int]:
        """Return how often the insert of each key was applied."""
        return [self.kind.times_applied(self.app.vendor, key) for key in keys]

    def value(self, key: str) -> int | None:
        """Return the value of ``key`` at the vendor."""
        return self.kind.value(self.app.vendor, key)


def is_delivered(receipt: Receipt) -> bool:
    return isinstance(receipt, Succeeded)


def attempts(receipts: Iterable[Receipt]) -> set[int]:
    """Return the attempts after which records were delivered."""
    return {receipt.event.attempt for receipt in receipts if isinstance(receipt, Succeeded)}


def is_in_doubt(receipt: Receipt) -> bool:
    return isinstance(receipt, DeadLetter) and receipt.error_class == "ambiguous"


def describe(receipts: Iterable[Receipt]) -> list[str]:
    """Return the receipts that say of a record that it was not delivered, for people."""
    return [f"{code_of(one)}: {one.message}" for one in receipts if isinstance(one, DeadLetter)]


@asynccontextmanager
async def kind_staged(kafka: RunningKafka, directory: Path, kind: SandboxedKind) -> AsyncIterator[KindStage]:
    """Yield a stage with a writer that owns its lanes."""
    prefix = f"contract-{kind.name}-{uuid4().hex[:8]}."
    receiver = OtlpReceiver()
    async with (
        serve(App(receiver)) as otlp,
        staged(
            kafka, prefix, directory, lanes=LANES, vendor=kind.stand_in(), kind=kind.staged, make_app=WatchedApp
        ) as stage,
    ):
        assert isinstance(stage.app, WatchedApp)
        kind_stage = KindStage(kind, stage, stage.app, receiver, otlp)
        await kind_stage.writer.owns(LANES)
        yield kind_stage
