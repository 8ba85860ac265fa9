"""``python -m sandbox salesforce``: one Salesforce org, served until it is stopped."""

from functools import partial
from pathlib import Path

import click
import msgspec

from sandbox.salesforce.objects import ObjectType
from sandbox.salesforce.settings import Settings, User
from sandbox.salesforce.vendor import Salesforce
from sandbox.serving.command import Serving, serving_options, setting

_DEFAULTS = Settings()
_setting = partial(setting, _DEFAULTS)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@serving_options(Settings)
@click.option("--username", default=_DEFAULTS.users[0].username, show_default=True)
@click.option("--password", default=_DEFAULTS.users[0].password, show_default=True)
@click.option("--security-token", default=_DEFAULTS.users[0].security_token, show_default=True)
@_setting("--client-id", "client_id", "The consumer key.")
@_setting("--client-secret", "client_secret")
@click.option("--jwt-public-key", "jwt_file", type=_FILE, help="PEM of what signs the JWT bearer flow's assertions.")
@click.option("--objects", "objects_file", type=_FILE, help="A JSON array of objects beside the standard ones.")
@click.option("--identifier-field", default="", help="The column that the ledger keeps as an entry's identifier.")
@_setting("--session-lifetime", "session_lifetime_s", "Idle seconds.")
@_setting("--daily-api-requests", "daily_api_requests")
@_setting("--daily-batches", "daily_batches")
@_setting("--queued", "queued_s", "Seconds a job waits.")
@_setting("--in-progress", "in_progress_s", "Seconds a job takes.")
@_setting("--trusted-network", "trusted_network", "Let passwords in without the security token.")
def salesforce(
    serving: Serving,
    settings: Settings,
    *,
    username: str,
    password: str,
    security_token: str,
    jwt_file: Path | None,
    objects_file: Path | None,
) -> None:
    """Serve a stand-in for Salesforce: login, Bulk API 1.0 and 2.0, REST queries."""
    loader = User(username=username, password=password, security_token=security_token)
    settings = msgspec.structs.replace(
        settings,
        users=(loader, *settings.users[1:]),
        client_user=username,
        jwt_public_key=jwt_file.read_text() if jwt_file else "",
        objects=_objects(objects_file),
    )
    credentials = {
        "username": username,
        "password": password,
        "security_token": security_token,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
    }
    serving.run(Salesforce(settings, ledger=serving.make_ledger()), credentials)


def _objects(path: Path | None) -> tuple[ObjectType, ...]:
    """Return the standard objects, each replaced by the object of its name in the file."""
    try:
        own = msgspec.json.decode(path.read_bytes(), type=tuple[ObjectType, ...]) if path else ()
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"expected a JSON array of objects in {path}: {error}") from None
    named = {kind.name.lower(): kind for kind in (*_DEFAULTS.objects, *own)}
    return tuple(named.values())
