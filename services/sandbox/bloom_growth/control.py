"""A client for the endpoints that only the stand-in Bloom Growth has, beside those of every sandbox."""

from typing import Literal

import msgspec

from sandbox.bloom_growth.audit import Created, CreatedFilter
from sandbox.control import SandboxControl


class BloomGrowthControl(SandboxControl):
    """Client that audits what was created, and reads notes."""

    async def created(self, wanted: CreatedFilter | None = None) -> list[Created]:
        """Return the matching objects that clients have created, in the order of creation, with how often."""
        query = msgspec.structs.asdict(wanted or CreatedFilter())
        given = {name: value for name, value in query.items() if value is not None}
        return _created(await self._send("GET", "/_sandbox/created", query=given))

    async def notes(self, kind: Literal["issue", "todo", "headline"], key: int) -> str:
        """Return an object's notes, also while their pad lags."""
        return (await self._call("GET", f"/_sandbox/notes/{kind}/{key}", dict[str, str]))["notes"]


_created = msgspec.json.Decoder(Created).decode_lines
