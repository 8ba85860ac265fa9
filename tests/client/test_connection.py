"""The way to a destination's topics, as the settings say it."""

from pathlib import Path

import pytest

from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher
from sluice.kafka.settings import KafkaSettings
from sluice.settings_file import SettingsError


def test_unknown_destination_is_named_with_the_nearest() -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers="localhost:1"), destinations=("crm",))
    with pytest.raises(SettingsError, match=r"no destination 'crn' in the settings; did you mean `crm`\?"):
        outcomes("crn", connection)


async def test_settings_file_is_read_without_the_vendors_secrets(connection: Connection, tmp_path: Path) -> None:
    file = tmp_path / "sluice.yaml"
    file.write_text(
        f"kafka: {{bootstrap_servers: '{connection.kafka.bootstrap_servers}'}}\n"
        f"topic_prefix: {connection.topic_prefix}\n"
        "destinations: {crm: {to: {kind: blueconic, client_secret: '${env:NOT_SET_ANYWHERE}'}}}\n"
    )
    async with Publisher("crm", file) as publisher:
        await publisher.publish(object="group/company", operation="upsert", key="a", data={"name": "Acme"})
