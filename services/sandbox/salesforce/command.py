"""``python -m sandbox salesforce``: one Salesforce org, served until it is stopped."""

from pathlib import Path

import click
import msgspec

from sandbox.salesforce.objects import ObjectType
from sandbox.salesforce.settings import Settings, User
from sandbox.salesforce.vendor import Salesforce
from sandbox.serving.command import Serving, serving_options

_DEFAULTS = Settings()
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@serving_options
@click.option("--username", default=_DEFAULTS.users[0].username, show_default=True)
@click.option("--password", default=_DEFAULTS.users[0].password, show_default=True)
@click.option("--security-token", default=_DEFAULTS.users[0].security_token, show_default=True)
@click.option("--client-id", default=_DEFAULTS.client_id, show_default=True, help="The consumer key.")
@click.option("--client-secret", default=_DEFAULTS.client_secret, show_default=True)
@click.option("--jwt-public-key", type=_FILE, help="PEM of what signs the JWT bearer flow's assertions.")
@click.option("--objects", "objects_file", type=_FILE, help="A JSON array of objects beside the standard ones.")
@click.option("--identifier-field", default="", help="The column that the ledger keeps as an entry's identifier.")
@click.option("--session-lifetime", default=_DEFAULTS.session_lifetime_s, show_default=True, help="Idle seconds.")
@click.option("--daily-api-requests", default=_DEFAULTS.daily_api_requests, show_default=True)
@click.option("--daily-batches", default=_DEFAULTS.daily_batches, show_default=True)
@click.option("--queued", default=_DEFAULTS.queued_s, show_default=True, help="Seconds a job waits.")
@click.option("--in-progress", default=_DEFAULTS.in_progress_s, show_default=True, help="Seconds a job takes.")
@click.option("--trusted-network", is_flag=True, help="Let passwords in without the security token.")
def salesforce(
    serving: Serving,
    *,
    username: str,
    password: str,
    security_token: str,
    client_id: str,
    client_secret: str,
    jwt_public_key: Path | None,
    objects_file: Path | None,
    identifier_field: str,
    session_lifetime: int,
    daily_api_requests: int,
    daily_batches: int,
    queued: float,
    in_progress: float,
    trusted_network: bool,
) -> None:
    """Serve a stand-in for Salesforce: login, Bulk API 1.0 and 2.0, REST queries."""
    loader = User(username=username, password=password, security_token=security_token)
    settings = Settings(
        users=(loader, *_DEFAULTS.users[1:]),
        client_id=client_id,
        client_secret=client_secret,
        client_user=username,
        jwt_public_key=jwt_public_key.read_text() if jwt_public_key else "",
        objects=_objects(objects_file),
        identifier_field=identifier_field,
        session_lifetime_s=session_lifetime,
        daily_api_requests=daily_api_requests,
        daily_batches=daily_batches,
        queued_s=queued,
        in_progress_s=in_progress,
        trusted_network=trusted_network,
    )
    credentials = {
        "username": username,
        "password": password,
        "security_token": security_token,
        "client_id": client_id,
        "client_secret": client_secret,
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
