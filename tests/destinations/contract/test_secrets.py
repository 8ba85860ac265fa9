"""No secret is seen by anybody but the vendor, whatever the vendor or a proxy says."""

import asyncio

import msgspec

from tests.destinations.contract.kind_stage import KindStage
from tests.destinations.contract.kinds import every_kind
from tests.destinations.contract.watched_app import drop, echo
from tests.support.stage import Place
from tests.support.topics import read_all

STATUSES = (400, 401, 403, 500)
SAMPLED = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


@every_kind
async def test_no_secret_is_in_a_log_a_span_a_topic_or_the_status(shared: KindStage) -> None:
    kind, app = shared.kind, shared.app
    for verb in kind.verbs:
        statuses = STATUSES[:1] if verb.role in ("ask", "look up") else STATUSES
        for skip, status in enumerate(statuses):
            app.intervene(kind.chosen(verb), before=echo(status), skip=skip, times=1)
    app.vendor.expire_tokens()
    app.intervene(kind.chosen(kind.verbs_of("write")[-1]), before=drop, skip=len(STATUSES), times=1)
    messages = [maker(f"secret-{n}") for n in range(6) for maker in (kind.insert, kind.bad)]
    places = await shared.stage.publish([message._replace(headers=[SAMPLED]) for message in messages])
    seen = await _told_until_settled(shared, places)
    seen += [writer.log_text() for writer in shared.stage.writers]
    seen += [str(msgspec.to_builtins(span)) for span in shared.spans.find(trace_id=None, service=None, name=None)]
    for topic in shared.stage.topics.all:
        for one in await read_all(shared.stage.connection, topic):
            seen += [str(part) for part in (one.key, one.value, one.headers)]
    secrets = _secrets(shared)
    assert len(secrets) >= len(kind.secrets)
    assert [text for text in seen if any(secret in text for secret in secrets)] == []


async def _told_until_settled(stage: KindStage, places: list[Place]) -> list[str]:
    """Return all that the writer's pages say until each of ``places`` has a receipt."""
    told: list[str] = []
    settling = asyncio.create_task(stage.stage.settled(places))
    while not settling.done():
        told += [(await stage.writer.get(path)).text for path in ("/status", "/metrics")]
        await asyncio.wait([settling], timeout=0.2)
    await settling
    return told


def _secrets(stage: KindStage) -> set[str]:
    """Return the kind's secrets, and every credential that the vendor was shown."""
    names = [name.encode() for name in stage.kind.secret_headers]
    headers = [call.headers[name].decode() for call in stage.app.calls for name in names if name in call.headers]
    return {*stage.kind.secrets, *(header.split()[-1] for header in headers)}
