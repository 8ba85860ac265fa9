"""Sluice, for people who publish records and consume their receipts.

    from sluice import DeadLetter, Publisher, Succeeded, bulk, bulk_sync, outcomes

Each takes the name of a destination and says where Kafka is: a settings file (by default ``sluice.yaml``), or a
:class:`Connection`, which needs no file.
"""

from sluice.bulk import Bulk, BulkTimeout, bulk
from sluice.bulk_result import BulkBatch, BulkItem, BulkResult
from sluice.bulk_sync import BulkSync, bulk_sync
from sluice.connection import Connection
from sluice.consuming import Outcomes, outcomes
from sluice.events import RecordEvent, SucceededEvent, record_data
from sluice.kafka import KafkaUnreachable
from sluice.outbox import PublishError
from sluice.publishing import Publisher, RecordTooLarge
from sluice.receipts import DeadLetter, Receipt, Succeeded
from sluice.records import InvalidRecord
from sluice.settings import KafkaSettings, SaslSettings, SettingsError, TlsSettings
from sluice.topic_admin import TopicsError

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
