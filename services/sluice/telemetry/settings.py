"""Settings of tracing, and of the port for probes and scrapers."""

from typing import Annotated

from msgspec import Meta

from sluice.setting_types import Frozen


class TracingSettings(Frozen, frozen=True):
    """Receiver of spans, and their sampling. Without an endpoint no span is made, and trace context passes through."""

    otlp_endpoint: str | None = None
    """Base address of an OTLP/HTTP receiver, for example http://collector:4318."""
    sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """Share of new traces that are sampled; a decision that upstream has made is kept."""


class HttpSettings(Frozen, frozen=True):
    """Address at which a process serves /metrics, /livez, /readyz and /status."""

    host: str = "0.0.0.0"  # noqa: S104  # probes and scrapers come from other hosts
    port: Annotated[int, Meta(ge=0, le=65535)] = 9464
