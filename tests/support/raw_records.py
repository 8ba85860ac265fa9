"""Records that no Kafka client would publish: written batch by batch, with a checksum that is right."""

import struct

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as BatchBuilder
from aiokafka.record.util import calc_crc32c

NAME = "name"


async def publish_with_header_name(servers: str, topic: str, partition: int, name: bytes) -> None:
    """Write a batch of two records, the second of which has a header called ``name``, of four bytes."""
    builder = BatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    builder.append(0, None, b"k", b"{}", [])
    builder.append(1, None, b"k", b"{}", [(NAME, b"value")])
    batch = builder.build().replace(NAME.encode(), name)
    checked = BatchBuilder.ATTRIBUTES_OFFSET
    struct.pack_into(">I", batch, BatchBuilder.CRC_OFFSET, calc_crc32c(batch[checked:]))
    client = AIOKafkaClient(bootstrap_servers=servers)
    await client.bootstrap()
    try:
        await client.add_topic(topic)
        leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        request = ProduceRequest(None, -1, 10_000, [(topic, [(partition, bytes(batch))])])
        await client.send(leader, request)
    finally:
        await client.close()
