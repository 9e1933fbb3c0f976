"""The calls to Google's APIs: endpoints, authorization, retries and errors, all in this one place.

What is retried follows Google's own provider: 429 and the passing 5xx everywhere, what a caller
names besides. urllib3 does the former, Google's retry library the latter.
"""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import urllib3

from engine.standin.config import ProviderConfig
from engine.standin.errors import ApiError, CancelledError, StandInError

T = TypeVar("T")
Json = dict[str, Any]
_PASSING = (429, 500, 502, 503, 504)
_CANCELLED = (
    "the update was cancelled; run `pulumi refresh` to see what was done, then `pulumi up` again"
)


@dataclass(frozen=True)
class RetryPolicy:
    """How fast to ask again, in seconds; the waits grow with jitter, and end at the deadline.

    Attributes:
        initial: first wait.
        maximum: longest wait.
        deadline: of the whole, unless the resource's own timeout says otherwise.
        attempts: how often urllib3 repeats a call that met a passing error.
    """

    initial: float = 0.05
    maximum: float = 2.0
    deadline: float = 1200.0
    attempts: int = 6


class Answer(Protocol):
    """A response of a connection pool."""

    status: int

    @property
    def data(self) -> bytes:
        """The body."""


class Pool(Protocol):
    """A connection pool: urllib3's, or that of a test."""

    def request(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """One request, repeated while the answer is a passing error."""


class NotYetError(Exception):
    """The awaited state is not reached yet."""


class Api:
    """Google's APIs behind the configured endpoints. Safe for many threads."""

    def __init__(
        self,
        config: ProviderConfig,
        *,
        retry_policy: RetryPolicy | None = None,
        pool: Pool | None = None,
    ) -> None:
        self.config = config
        self._retry_policy = retry_policy or RetryPolicy()
        self._cancelled = threading.Event()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._headers = {
            "Authorization": f"Bearer {config.token}",
            "Content-Type": "application/json",
            "User-Agent": "pulumi-gcp-stand-in",
        }
        self._pool: Pool = pool or urllib3.PoolManager(
            maxsize=16,
            timeout=urllib3.Timeout(connect=5, read=300),
            retries=urllib3.Retry(
                total=self._retry_policy.attempts,
                connect=2,
                redirect=False,  # a redirection could lead off this machine
                status_forcelist=_PASSING,
                allowed_methods=None,
                backoff_factor=self._retry_policy.initial,
                backoff_jitter=self._retry_policy.initial,
                backoff_max=self._retry_policy.maximum,
                raise_on_status=False,
            ),
        )

    def cancel(self) -> None:
        """End what waits, and refuses further calls."""
        self._cancelled.set()

    def lock(self, name: str) -> threading.Lock:
        """Return a lock for one named resource, shared by all who change it through this object."""
        return self._locks[name]

    def call(
        self,
        service: str,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        version: str = "",
    ) -> Json:
        """One call.

        Args:
            service: key of `config.SERVICES`.
            method: HTTP method.
            path: below the endpoint's version; may hold a query of its own.
            body: sent as JSON.
            query: parameters besides `alt=json`, which every call has.
            version: API version in place of the endpoint's own.

        Raises:
            ApiError: the API refused.
            StandInError: there is no answer, or it is not JSON
            CancelledError: the engine asked for an end.
        """
        base = self.config.endpoint(service)
        if version:
            base = re.sub(r"/v\d\w*/$", f"/{version}/", base)
        path, _, own_query = path.partition("?")
        url = base + quote(path, safe="/:@%") + "?" + urlencode({"alt": "json", **(query or {})})
        url += f"&{own_query}" if own_query else ""
        content = None if body is None else json.dumps(body).encode()
        return self._send(service, base, method, url, content, self._headers)

    def upload(self, path: str, content: bytes, media_type: str) -> Json:
        """Upload an object of Cloud Storage.

        Args:
            path: below the endpoint's version, with a query
            content: of the object
            media_type: of the object

        Raises:
            ApiError: the API refused.
            StandInError: there is no answer, or it is not JSON
            CancelledError: the engine asked for an end.
        """
        base = self.config.endpoint("storage")
        url = base.replace("/storage/v1/", "/upload/storage/v1/") + path
        headers = {**self._headers, "Content-Type": media_type}
        return self._send("storage", base, "POST", url, content, headers)

    def _send(
        self,
        service: str,
        base: str,
        method: str,
        url: str,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> Json:
        if self._cancelled.is_set():
            raise CancelledError(_CANCELLED)
        try:
            answer = self._pool.request(method, url, body=content, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise StandInError(
                f"no answer from {base} ({service}): {_root(error)}; is the local Google "
                "Cloud running? `python -m emulator status` shows it, `... start` starts it"
            ) from error
        return _parse(answer.status, answer.data, url)

    def persist(
        self, attempt: Callable[[], T], again: Callable[[Exception], bool], timeout: float = 0
    ) -> T:
        """Repeats an attempt while its error is worth it, until it succeeds or the time is up.

        Args:
            attempt: what to do.
            again: whether an error is worth another attempt.
            timeout: seconds; 0 for the deadline of the retry policy

        Raises:
            Exception: the last error of the attempt.
        """
        # Imported here: it costs a tenth of a second, which previews need not pay.
        from google.api_core.exceptions import RetryError
        from google.api_core.retry import Retry

        policy = Retry(
            predicate=lambda error: not self._cancelled.is_set() and again(error),
            initial=self._retry_policy.initial,
            maximum=self._retry_policy.maximum,
            multiplier=1.5,
            timeout=timeout or self._retry_policy.deadline,
        )
        try:
            return policy(attempt)()
        except NotYetError as error:
            raise CancelledError(_CANCELLED) from error
        except RetryError as error:
            cause = error.cause
            if cause is None or isinstance(cause, NotYetError):
                raise StandInError(f"gave up waiting: {cause or error}") from error
            raise cause from error

    def finish(self, service: str, operation: Json, timeout: float = 0) -> Json:
        """Follows a long-running operation to its end.

        Returns:
            Its response.

        Raises:
            ApiError: it ended with an error.
            StandInError: it did not end in time.
        """
        current = operation

        def poll() -> Json:
            nonlocal current
            if not current.get("done"):
                current = self.call(service, "GET", current["name"])
            if not current.get("done"):
                raise NotYetError(f"operation {current['name']} is not done")
            return current

        done = self.persist(poll, lambda error: isinstance(error, NotYetError), timeout)
        if error := done.get("error"):
            raise ApiError(error.get("code", 0), error.get("message", "the operation failed"))
        response: Json = done.get("response", {})
        return response


def unless_gone(look: Callable[[], T]) -> T | None:
    """Return what a call answers; None if that is a 404: the resource is gone."""
    try:
        return look()
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def _parse(status: int, data: bytes, url: str) -> Json:
    try:
        parsed: Any = json.loads(data) if data else None
    except ValueError:
        parsed = None
    if status >= 400:
        error = parsed.get("error") if isinstance(parsed, dict) else None
        if not isinstance(error, dict):
            raise ApiError(status, data.decode(errors="replace")[:500] or "no body")
        details = error.get("errors") or [{}]
        reason = details[0].get("reason") or error.get("status", "")
        raise ApiError(status, error.get("message", ""), reason)
    if status == 204 or data.strip() == b"null":
        return {}
    if status >= 300 or not isinstance(parsed, dict):
        raise StandInError(
            f"{url.partition('?')[0]} answered {status} with {len(data)} bytes that are not a JSON "
            "object: is it the endpoint of a Google API?"
        )
    return parsed


def _root(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason if reason is not None else error)
