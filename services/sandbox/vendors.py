"""Table of the vendors, from which the commands, ``--list`` and ``all`` are made."""

from collections.abc import Mapping
from typing import NamedTuple

import click

from sandbox.bloom_growth.command import bloom_growth
from sandbox.blueconic.command import blueconic
from sandbox.liquid_decisions.command import liquid_decisions
from sandbox.salesforce.command import salesforce

FIRST_PORT = 8400
"""Default port of the first vendor under ``all``; the next vendors take the ports after it."""


class Row(NamedTuple):
    """A vendor's command, its default credentials, and what it covers."""

    command: click.Command
    credentials: Mapping[str, str]
    covers: str

    @property
    def name(self) -> str:
        return str(self.command.name)


VENDORS = (
    Row(
        blueconic,
        {"client_id": "sandbox", "client_secret": "sandbox-secret"},
        "REST API v2: groups and profiles in bulk, their reads, OAuth 2",
    ),
    Row(
        bloom_growth,
        {"user_name": "alex.morgan@example.com", "password": "sandbox-secret", "api_key": "sandbox-key"},
        "REST API v1: issues, todos, goals, meetings, headlines, scorecard, users and seats, tokens",
    ),
    Row(
        liquid_decisions,
        {
            "client_id": "sandbox",
            "client_secret": "sandbox-secret",
            "username": "sandbox@example.com",
            "password": "sandbox-password",
            "community": "ACME",
        },
        "REST API: items upsert and updates, SQL queries, batch import and export, OAuth 2",
    ),
    Row(
        salesforce,
        {
            "username": "loader@example.com",
            "password": "loader-password",
            "security_token": "TOKEN",
            "client_id": "sandbox-consumer-key",
            "client_secret": "sandbox-consumer-secret",
        },
        "Bulk API 1.0 and 2.0: ingest and query, REST queries, SOAP login, OAuth 2, limits",
    ),
)


def credentials_text(credentials: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in credentials.items())


def list_vendors() -> list[str]:
    """Return one line per vendor, with its address under ``all``."""
    width = max(len(row.name) for row in VENDORS)
    return [
        f"{row.name:{width}}  http://127.0.0.1:{port}  {row.covers}  ({credentials_text(row.credentials)})"
        for port, row in enumerate(VENDORS, FIRST_PORT)
    ]
