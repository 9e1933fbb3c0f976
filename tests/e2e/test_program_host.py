"""The language host of the tests, which runs many programs in one process."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from tests.support.channels import channel_to

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]


class _Engine(engine_pb2_grpc.EngineServicer):
    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
        return empty_pb2.Empty()


def _start(port: int = 0) -> tuple[grpc.Server, int]:
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound


def test_an_engine_with_the_port_of_an_earlier_one_is_reached_at_once() -> None:
    server, port = _start()
    earlier = channel_to(f"127.0.0.1:{port}")
    engine_pb2_grpc.EngineStub(earlier).Log(engine_pb2.LogRequest())
    server.stop(None).wait()
    with pytest.raises(grpc.RpcError):
        engine_pb2_grpc.EngineStub(earlier).Log(engine_pb2.LogRequest())
    server, _ = _start(port)
    with channel_to(f"127.0.0.1:{port}") as channel:
        assert engine_pb2_grpc.EngineStub(channel).Log(engine_pb2.LogRequest()) is not None
    server.stop(None).wait()
    earlier.close()
