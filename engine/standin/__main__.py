"""Serves the plugin: `python -m engine.standin [ENGINE_ADDRESS]`. The engine starts it."""

import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

from engine.pulumi_proto import provider_pb2_grpc
from engine.shutdown import ShutdownSignal
from engine.standin.provider import StandIn

_MESSAGE_LIMIT = 400 * 1024 * 1024  # as the engine's own
_GRACE = 2.0  # seconds for calls under way when the engine ends the plugin


def main() -> int:
    """Serve until the engine says stop, or is gone; the first line of stdout is the port."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    shutdown = ShutdownSignal()
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
    if not shutdown.wait():
        # Running calls would change resources during the next update, so nothing waits for them.
        os._exit(1)
    server.stop(_GRACE).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
