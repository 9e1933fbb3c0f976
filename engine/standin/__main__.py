"""Serves the plugin: `python -m engine.standin [ENGINE_ADDRESS]`. The engine starts it."""

import logging
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from engine.protocol import provider_pb2_grpc
from engine.standin.provider import StandIn

_MESSAGE_LIMIT = 400 * 1024 * 1024  # as the engine's own
_GRACE = 2.0  # seconds for calls under way when the engine ends the plugin


def main() -> int:
    """Serves until the engine ends the process; the first line of stdout is the port."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    ended = threading.Event()

    def end(*_: Any) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    sizes = [
        ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
        ("grpc.max_send_message_length", -1),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=32), options=sizes)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(StandIn(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.wait()
    server.stop(_GRACE).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
