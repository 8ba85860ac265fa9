"""The members of a consumer group, seen from outside."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest

_MEMBERS, _MEMBER_ID = 5, 0


async def expel_members(servers: str, group: str) -> None:
    """Have the coordinator drop all members of ``group`` now, as it does with dead ones when their session is over."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        [described] = await admin.describe_consumer_groups([group])
        members = [member[_MEMBER_ID] for member in described.groups[0][_MEMBERS]]
        coordinator = await admin.find_coordinator(group)
        for member in members:
            await admin._send_request(LeaveGroupRequest(group, member), coordinator)
    finally:
        await admin.close()
