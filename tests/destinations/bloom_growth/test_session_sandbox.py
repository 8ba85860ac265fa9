"""Tokens against a stand-in that lets a user have one session."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice.destinations.contract import Unavailable
from sluice.setting_types import Secret
from tests.destinations.bloom_growth.offline import issue, item_of
from tests.destinations.bloom_growth.tenant import QUICK, client, deliver, tenant

ONE_SESSION = msgspec.structs.replace(QUICK, has_one_token_per_user=True)
LOGIN: dict[str, Any] = {"api_key": None, "user_name": QUICK.user_name, "password": Secret(QUICK.password)}


async def test_writers_that_share_a_file_share_a_session(tmp_path: Path) -> None:
    login = {**LOGIN, "token_path": str(tmp_path / "token"), "fresh_token_s": 0}
    async with tenant(ONE_SESSION, **login) as acme, AsyncExitStack() as opened:
        writers = [await opened.enter_async_context(client(acme.url, **login)) for _ in range(4)]
        for round_ in range(3):
            items = [item_of(issue(title=f"{round_}-{row}")) for row in range(len(writers))]
            outcomes = await asyncio.gather(*map(deliver, writers, items))
            assert {outcome.code for outcome in outcomes} == {"CREATED"}
            await acme.control.expire_tokens()
        logins = (await acme.control.summary()).requests["POST /token 200"]
    assert logins == 3


async def test_writers_without_one_stop_ending_each_others_sessions() -> None:
    async with tenant(ONE_SESSION, **LOGIN) as acme, client(acme.url, **LOGIN) as other:
        await other.check()
        await acme.destination.check()
        await other.check()
        with pytest.raises(Unavailable, match="two processes seem to share a user"):
            await acme.destination.check()
        assert "Alex Morgan" in await other.check()
