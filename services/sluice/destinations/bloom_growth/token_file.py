"""File that keeps an access token over restarts, shared by the writers of one machine. rules_bloom_liquid_reads.md D6

1. It is bound to the address, the user and the password, by a salted hash: another user's token would make another
   person the owner of all that is created.
2. A lock beside it lets one process log in at a time. Whoever gets it reads the file first.
3. It is written to a new file of mode 0600, which then takes its name: nobody reads half of it.
4. A refused login is kept, too, so that a process that starts again and again does not lock the user out.

All work on files runs in a thread: a disk may be slow.
"""

import asyncio
import fcntl
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from sluice.destinations.bloom_growth.assumptions import LOCK_POLL_S
from sluice.setting_types import Secret

_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of the file."""

    salt: str = ""
    account: str = ""
    token: str = ""
    expires_at_s: float = 0.0
    """In seconds since 1970."""
    refused_until_s: float = 0.0
    refusal: str = ""


class TokenFile:
    """The file at ``path``, for one account."""

    def __init__(self, path: str, url: str, user_name: str, password: Secret) -> None:
        self._path = Path(path)
        self._account = f"{url}\0{user_name}\0".encode()
        self._password = password

    async def read(self) -> Kept | None:
        """Return what is kept for this account; ``None`` if nothing is that can be read."""
        return await asyncio.to_thread(self._read)

    async def keep_token(self, token: str, expires_at_s: float) -> None:
        """Keep ``token`` in place of all before. Raises ``OSError``."""
        await self._keep(Kept(token=token, expires_at_s=expires_at_s))

    async def keep_refusal(self, refusal: str, until_s: float) -> None:
        """Keep ``refusal`` in place of all before. Raises ``OSError``."""
        await self._keep(Kept(refusal=refusal, refused_until_s=until_s))

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Wait until no other process has the lock, and hold it. Raises ``OSError``."""
        descriptor = await asyncio.to_thread(self._open_lock)
        try:
            while not _try_lock(descriptor):  # noqa: ASYNC110  # another process has it
                await asyncio.sleep(LOCK_POLL_S)
            yield
        finally:
            os.close(descriptor)  # and so the lock is free

    async def _keep(self, kept: Kept) -> None:
        salt = secrets.token_hex(16)
        account = await asyncio.to_thread(self._digest, salt)
        kept = msgspec.structs.replace(kept, salt=salt, account=account)
        await asyncio.to_thread(self._write, msgspec.json.encode(kept))

    def _read(self) -> Kept | None:
        try:
            kept = _decode(self._path.read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return kept if secrets.compare_digest(kept.account, self._digest(kept.salt)) else None

    def _write(self, content: bytes) -> None:
        # Under the lock, so the name is nobody else's. A rest of a killed process is written over.
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(self._path)

    def _open_lock(self) -> int:
        return os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _digest(self, salt: str) -> str:
        secret = self._account + self._password.reveal().encode()
        return hashlib.scrypt(secret, salt=salt.encode(), **_SCRYPT).hex()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_decode = msgspec.json.Decoder(Kept).decode
