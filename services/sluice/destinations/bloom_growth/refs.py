"""Ids in an item's refs. They come in a header, which anybody may have written: what is no id is not there."""

import re
from collections.abc import Mapping

from sluice.destinations.bloom_growth.field_values import MAX_ID


def id_in(refs: Mapping[str, str], name: str) -> int | None:
    """Return the id under ``name`` in ``refs``, if there is one."""
    text = refs.get(name, "")
    id_ = int(text) if re.fullmatch(r"[0-9]{1,19}", text) else 0
    return id_ if 0 < id_ <= MAX_ID else None
