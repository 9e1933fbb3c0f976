"""Peers of the MLLP adapter: its server in this process, and clients and servers of `hl7.mllp`."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator, Sequence

import hl7
from hl7.mllp import open_hl7_connection, start_hl7_server

from tests.support.hl7v2_messages import admission
from workloads.common.counters import Counters
from workloads.common.logs import Log
from workloads.mllp.receivers import Receiver
from workloads.mllp.server import Limits, MllpServer


@contextlib.contextmanager
def serving(
    receiver: Receiver,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    counters: Counters | None = None,
) -> Iterator[MllpServer]:
    """A server at a free port."""
    server = MllpServer(
        ("127.0.0.1", 0), receiver, Log("test"), counters or Counters(), limits, tls
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def exchange(
    port: int,
    messages: Sequence[bytes],
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> list[bytes]:
    """Send messages on one connection by `hl7.mllp`, and return the answers."""

    async def run() -> list[bytes]:
        server = "localhost" if tls else host
        reader, writer = await open_hl7_connection(server, port, ssl=tls)
        answers = []
        try:
            for data in messages:
                writer.writeblock(data)
                answers.append(await asyncio.wait_for(reader.readblock(), 20))
        finally:
            writer.close()
        return answers

    return asyncio.run(run())


class FakePeer:
    """A server of `hl7.mllp` in a thread.

    Args:
        codes: of its answers, in order, then AA; `close` closes the connection without one,
            and `late` answers an earlier message
    """

    def __init__(self, codes: Sequence[str] = (), tls: ssl.SSLContext | None = None) -> None:
        self.received: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._codes, self._tls = list(codes), tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "FakePeer":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def start() -> asyncio.Server:
            server: asyncio.Server = await start_hl7_server(
                self._serve, "127.0.0.1", 0, ssl=self._tls
            )
            self.port = server.sockets[0].getsockname()[1]
            return server

        server = self._loop.run_until_complete(start())
        self._loop.call_soon(self._ready.set)
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(
        self, reader: "hl7.mllp.HL7StreamReader", writer: "hl7.mllp.HL7StreamWriter"
    ) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                data = await reader.readblock()
                self.received.append(data)
                code = self._codes.pop(0) if self._codes else "AA"
                if code == "close":
                    break
                if code == "late":  # the answer to an earlier message
                    data, code = admission("earlier"), "AA"
                answer = hl7.parse(data.decode("latin-1")).create_ack(code)
                writer.writeblock(str(answer).encode("latin-1"))
                await writer.drain()
        writer.close()
