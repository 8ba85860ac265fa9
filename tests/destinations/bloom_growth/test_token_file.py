"""The file that keeps a token: for one account, written whole, under a lock."""

import asyncio
import stat
from pathlib import Path

import pytest

from sluice.destinations.bloom_growth.token_file import TokenFile
from sluice.setting_types import Secret


def token_file(path: Path, *, url: str = "http://a", user: str = "u", password: str = "p") -> TokenFile:
    return TokenFile(str(path / "token"), url, user, Secret(password))


async def test_a_token_is_read_as_it_was_kept(tmp_path: Path) -> None:
    file = token_file(tmp_path)
    assert await file.read() is None
    await file.keep_token("T1", 50.0)
    await file.keep_token("T2", 60.0)
    kept = await token_file(tmp_path).read()
    assert kept is not None
    assert (kept.token, kept.expires_at_s, kept.refused_until_s) == ("T2", 60.0, 0.0)


async def test_a_refusal_replaces_a_token(tmp_path: Path) -> None:
    file = token_file(tmp_path)
    await file.keep_token("T1", 50.0)
    await file.keep_refusal("wrong password", 70.0)
    kept = await file.read()
    assert kept is not None
    assert (kept.token, kept.refusal, kept.refused_until_s) == ("", "wrong password", 70.0)


@pytest.mark.parametrize("other", [{"url": "http://b"}, {"user": "v"}, {"password": "q"}])
async def test_another_account_does_not_use_it(tmp_path: Path, other: dict[str, str]) -> None:
    await token_file(tmp_path).keep_token("T1", 50.0)
    assert await token_file(tmp_path, **other).read() is None


async def test_it_is_its_owners_alone_and_holds_no_password(tmp_path: Path) -> None:
    await token_file(tmp_path, password="s3cret").keep_token("T1", 50.0)
    path = tmp_path / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"s3cret" not in path.read_bytes()


async def test_a_rest_of_a_killed_process_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "token.new").write_text("half")
    (tmp_path / "token").write_text("{")
    file = token_file(tmp_path)
    assert await file.read() is None
    await file.keep_token("T1", 50.0)
    kept = await file.read()
    assert kept is not None
    assert kept.token == "T1"


async def test_one_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    first, second = token_file(tmp_path), token_file(tmp_path)
    order: list[str] = []

    async def follow() -> None:
        async with second.lock():
            order.append("second")

    async with first.lock():
        waiting = asyncio.create_task(follow())
        await first.keep_token("T1", 50.0)
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_a_cancelled_wait_leaves_the_lock_free(tmp_path: Path) -> None:
    first, second = token_file(tmp_path), token_file(tmp_path)

    async def wait() -> None:
        async with second.lock():
            raise AssertionError

    async with first.lock():
        waiting = asyncio.create_task(wait())
        await first.read()
        waiting.cancel()
        await asyncio.wait([waiting])
    async with second.lock():
        pass


async def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        async with token_file(tmp_path / "absent").lock():
            pass
