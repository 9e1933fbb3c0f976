"""The public keys of an identity provider, by their ids: a JSON Web Key Set (RFC 7517)."""

import asyncio
import time
from collections.abc import Callable

import httpx
import jwt

from workloads.common.logs import Log

LIFETIME_SECONDS = 3_600.0
"""After which the keys are fetched again."""
MIN_SECONDS = 30.0
"""Between two fetches: tokens with invented key ids must not cause more."""
_TIMEOUT_SECONDS = 10.0


class KeysUnavailableError(Exception):
    """The keys could not be fetched, and none are known."""


class Keys:
    """The keys of one provider.

    Args:
        url: of the key set
        client: carries the requests
        log: has the failures
        clock: in seconds
    """

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._client = client
        self._log = log
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._tried = -float("inf")
        self._lock = asyncio.Lock()

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """Return a key; None if the provider has no such key.

        Raises:
            KeysUnavailableError: no key is known
        """
        if key_id not in self._keys or self._clock() - self._fetched > LIFETIME_SECONDS:
            async with self._lock:
                if self._clock() - self._tried > MIN_SECONDS:
                    await self._fetch()
        if not self._keys:
            raise KeysUnavailableError
        return self._keys.get(key_id)

    async def _fetch(self) -> None:
        self._tried = self._clock()
        try:
            answer = await self._client.get(self._url, timeout=_TIMEOUT_SECONDS)
            found = jwt.PyJWKSet.from_dict(answer.raise_for_status().json())
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            self._log.error("keys can't be fetched", url=self._url, error=type(error).__name__)
            return
        self._keys = {str(key.key_id): key for key in found.keys}
        self._fetched = self._clock()
