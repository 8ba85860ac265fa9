"""Sluice, for people who publish records and consume their receipts.

    from sluice import DeadLetter, Publisher, Succeeded, bulk, bulk_sync, outcomes

Each takes the name of a destination, and finds Kafka in a settings file (by default ``sluice.yaml``) or in a
:class:`Connection`, which needs no file.
"""

from sluice.client.bulk import Bulk, BulkTimeout, bulk
from sluice.client.bulk_result import BulkBatch, BulkItem, BulkResult
from sluice.client.bulk_sync import BulkSync, bulk_sync
from sluice.client.connection import Connection
from sluice.client.outcomes import Outcomes, outcomes
from sluice.client.publisher import Publisher, RecordTooLarge
from sluice.client.receipts import DeadLetter, Receipt, Succeeded
from sluice.events import RecordEvent, SucceededEvent, record_data
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.outbox import PublishError
from sluice.kafka.settings import KafkaSettings, SaslSettings, TlsSettings
from sluice.kafka.topic_admin import TopicsError
from sluice.records import InvalidRecord
from sluice.settings_file import SettingsError

__all__ = [
    "Bulk",
    "BulkBatch",
    "BulkItem",
    "BulkResult",
    "BulkSync",
    "BulkTimeout",
    "Connection",
    "DeadLetter",
    "InvalidRecord",
    "KafkaSettings",
    "KafkaUnreachable",
    "Outcomes",
    "PublishError",
    "Publisher",
    "Receipt",
    "RecordEvent",
    "RecordTooLarge",
    "SaslSettings",
    "SettingsError",
    "Succeeded",
    "SucceededEvent",
    "TlsSettings",
    "TopicsError",
    "bulk",
    "bulk_sync",
    "outcomes",
    "record_data",
]
