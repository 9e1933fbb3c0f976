"""A gate between the engine's plugin and the local Google Cloud, which holds a call at a moment."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx

from emulator.core import http_client
from engine.standin.config import SERVICES
from tests.support.waiting import PATIENCE_SECONDS

_HOP_BY_HOP = {"connection", "content-encoding", "content-length", "host", "transfer-encoding"}

Side = Literal["before", "after"]
"""Whether a call is held before the cloud sees it, or the cloud's answer before the plugin does."""


@dataclass(frozen=True)
class Moment:
    """A moment of an update: the nth call that matches, held on one of its sides.

    Attributes:
        matches: Told the method and the path with its query.
        nth: Counted from 1.
        side: Where it is held.
    """

    matches: Callable[[str, str], bool]
    nth: int = 1
    side: Side = "before"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A plugin that was killed hangs up: that is what the tests do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class BlockingProxy:
    """Forwards calls to the local Google Cloud; holds the one that it was told to hold.

    Attributes:
        settings: Of the stack's configuration; they lead the plugin through the gate.
        reached: Set once the call is held.
        forwards: Whether a call held before it reached the cloud is forwarded when released.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._upstreams = {
            service: environment[variable] for service, (_, variable) in SERVICES.items()
        }
        self._lock = threading.Lock()
        self._moment: Moment | None = None
        self._seen = 0
        self._released = threading.Event()
        self.reached = threading.Event()
        self.forwards = True
        self._client = http_client.client(seconds=PATIENCE_SECONDS)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{self._server.server_port}"
        self.settings = {
            f"gcp:{setting}": f"{base}/{service}/v1/" for service, (setting, _) in SERVICES.items()
        }

    def close(self) -> None:
        """Let go of what is held, and close."""
        self.release(forwards=False)
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    @contextmanager
    def holding(self, moment: Moment) -> Iterator[None]:
        """Hold the call of a moment; let go of it at the end at the latest."""
        self.reached.clear()
        self._released.clear()
        with self._lock:
            self._moment, self._seen = moment, 0
        try:
            yield
        finally:
            with self._lock:
                self._moment = None
            self.release(forwards=False)

    def release(self, *, forwards: bool) -> None:
        """Let go of the call that is held.

        Args:
            forwards: Whether the cloud gets it, if it did not yet.
        """
        self.forwards = forwards
        self._released.set()

    def _is_held(self, method: str, path: str) -> Moment | None:
        with self._lock:
            moment = self._moment
            if moment is None or not moment.matches(method, path):
                return None
            self._seen += 1
            return moment if self._seen == moment.nth else None

    def _hold(self) -> None:
        self.reached.set()
        self._released.wait(PATIENCE_SECONDS)

    def _handler(gate) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                held = gate._is_held(self.command, self.path)
                if held and held.side == "before":
                    gate._hold()
                    if not gate.forwards:
                        self.close_connection = True
                        return
                answer = gate._forward(self.command, self.path, dict(self.headers), body)
                if held and held.side == "after":
                    gate._hold()
                try:
                    self._answer(answer)
                except ConnectionError:  # the plugin was killed
                    self.close_connection = True

            def _answer(self, answer: httpx.Response) -> None:
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

        return Handler

    def _forward(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        _, service, _, rest = path.split("/", 3)
        kept = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
        url = f"{self._upstreams[service]}{rest}"
        return self._client.request(method, url, content=body, headers=kept)
