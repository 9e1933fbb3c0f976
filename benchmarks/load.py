"""A client that sends many requests over few connections, the same for both sides.

The standard library's, one thread a connection: of all clients in Python it takes the least from
the processors that the server needs as well.
"""

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.clones import BenchmarkError

TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Request:
    """A request to send."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def send(
    url: str,
    requests: Sequence[Request],
    clients: int,
    check: Callable[[bytes], None] = lambda _body: None,
) -> float:
    """Send all requests, each by the client that is free first.

    Args:
        url: of the server, no path.
        requests: sent in this order.
        clients: how many at once, each with a connection of its own that stays open.
        check: given each answer's body; raises where it is not what it has to be.

    Returns:
        Seconds from the first request to the last answer.

    Raises:
        BenchmarkError: an answer is an error, or wrong
    """
    waiting, lock, errors = iter(requests), threading.Lock(), list[Exception]()
    threads = [
        threading.Thread(target=_client, args=(url, waiting, lock, check, errors))
        for _ in range(clients)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if errors:
        raise BenchmarkError(f"{url}: {errors[0]}") from errors[0]
    return seconds


def _client(
    url: str,
    waiting: Iterator[Request],
    lock: threading.Lock,
    check: Callable[[bytes], None],
    errors: list[Exception],
) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)
    try:
        while True:
            with lock:
                request = next(waiting, None)
            if request is None or errors:
                return
            connection.request(request.method, request.path, request.body, request.headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status >= http.client.MULTIPLE_CHOICES:
                failure = f"{request.method} {request.path}: {answer.status} {body[:300]!r}"
                raise BenchmarkError(failure)
            check(body)
    except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
        errors.append(error)
    finally:
        connection.close()
