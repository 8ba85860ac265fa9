"""The options that select dead letters, the same for every command of ``sluice dead``."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from sluice.cli.outcomes import SinceType
from sluice.dead_letters.selection import Selection

_Option = Callable[[Callable[..., None]], Callable[..., None]]

_CLASSES = ("rejected", "ambiguous", "retryable")
_NOTED = "sluice.dead."


def selecting(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options to ``command``, whose :func:`selection` reads them from its context."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def selection(ctx: click.Context) -> Selection:
    """What the command line says. Raises ``click.UsageError``."""
    since, until = _instant(ctx, "since"), _instant(ctx, "until")
    if since and until and since >= until:
        raise click.UsageError(f"--since {since:%Y-%m-%d %H:%M:%S} is not before --until {until:%Y-%m-%d %H:%M:%S}")
    return Selection(
        classes=ctx.meta[f"{_NOTED}class"],
        codes=ctx.meta[f"{_NOTED}code"],
        batches=ctx.meta[f"{_NOTED}batch"],
        objects=ctx.meta[f"{_NOTED}object"],
        keys=ctx.meta[f"{_NOTED}key"],
        jobs=ctx.meta[f"{_NOTED}job"],
        since=since,
        until=until,
    )


def _instant(ctx: click.Context, name: str) -> datetime | None:
    value: datetime | str | None = ctx.meta[_NOTED + name]
    if isinstance(value, datetime):
        return value
    return datetime.now(UTC) if value == "now" else None


def _note(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.meta[f"{_NOTED}{param.name}"] = value


def _option(name: str, metavar: str, help_: str) -> _Option:
    return click.option(f"--{name}", metavar=metavar, multiple=True, expose_value=False, callback=_note, help=help_)


_OPTIONS: tuple[_Option, ...] = (
    _option("code", "CODE", "Only those that the vendor refused with this code. May be repeated, as the next ones."),
    click.option(
        "--class",
        type=click.Choice(_CLASSES),
        multiple=True,
        expose_value=False,
        callback=_note,
        help="Only rejected ones, those of unknown fate, or those that were tried too often.",
    ),
    _option("object", "NAME", "Only those of one kind of thing at the vendor."),
    _option("key", "KEY", "Only those of one record: the event's key, or the message key."),
    _option("job", "ID", "Only those of one job."),
    _option("batch", "ID", "Only those of one batch."),
    *(
        click.option(f"--{name}", type=SinceType(), metavar="WHEN", expose_value=False, callback=_note, help=help_)
        for name, help_ in (
            ("since", "Only those written since 30m, 2h, 7d ago, or since an instant."),
            ("until", "Only those written before that."),
        )
    ),
)
