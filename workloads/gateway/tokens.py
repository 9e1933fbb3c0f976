"""Access tokens of the gateway's own service account."""

import asyncio
from typing import Any

from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from starlette.concurrency import run_in_threadpool

from workloads.common import google
from workloads.gateway.errors import RefusedError


class Tokens:
    """The tokens for calls of the API, fetched again before they expire.

    Raises:
        CredentialsError: there are no credentials
    """

    def __init__(self) -> None:
        self._credentials: Any = google.credentials()
        self._lock = asyncio.Lock()

    async def authorization(self) -> bytes:
        """Return the value of the header Authorization.

        Raises:
            RefusedError: 503, no token can be had
        """
        if not self._credentials.valid:
            async with self._lock:
                if not self._credentials.valid:
                    await self._refresh()
        return f"Bearer {self._credentials.token}".encode()

    async def _refresh(self) -> None:
        try:
            await run_in_threadpool(self._credentials.refresh, Request())
        except GoogleAuthError:
            raise RefusedError(503, "The gateway has no access token: try again.") from None
