"""The plugin as the engine starts it: a process that prints its port and serves."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2

from engine.pulumi_proto import provider_pb2, provider_pb2_grpc
from engine.standin import VERSION
from engine.standin.values import to_struct
from tests.support.channels import channel_to
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets
ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_the_engine_ends_it(end: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.standin", "127.0.0.1:1", "-logtostderr", "-v=9"],
        cwd=ROOT,
        env={**os.environ, "GOOGLE_STORAGE_CUSTOM_ENDPOINT": "http://127.0.0.1:1/storage/v1/"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with channel_to(f"127.0.0.1:{port}") as channel:
            plugin = provider_pb2_grpc.ResourceProviderStub(channel)
            assert plugin.GetPluginInfo(empty_pb2.Empty()).version == VERSION
            plugin.Handshake(provider_pb2.ProviderHandshakeRequest())
            plugin.Configure(provider_pb2.ConfigureRequest(args=to_struct({"project": "p"})))
            with pytest.raises(grpc.RpcError) as refused:
                plugin.Configure(
                    provider_pb2.ConfigureRequest(
                        args=to_struct({"storageCustomEndpoint": "https://storage.googleapis.com/"})
                    )
                )
            assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
            assert "which is not on this machine" in str(refused.value.details())
    finally:
        process.send_signal(end)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert errors == ""


ENGINE = """
import subprocess, sys
plugin = subprocess.Popen([sys.executable, "-m", "engine.standin"], stdout=subprocess.PIPE)
print(plugin.pid, plugin.stdout.readline().decode().strip(), flush=True)
plugin.wait()
"""


def test_ends_with_an_engine_that_was_killed_whatever_it_is_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/"
        engine = subprocess.Popen(
            [sys.executable, "-c", ENGINE],
            cwd=ROOT,
            env={**os.environ, "GOOGLE_PUBSUB_CUSTOM_ENDPOINT": endpoint},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert engine.stdout is not None
        pid, port = map(int, engine.stdout.readline().split())
        plugin = psutil.Process(pid)
        try:
            with channel_to(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                stub.Configure(provider_pb2.ConfigureRequest(args=to_struct({"project": "p"})))
                urn = "urn:pulumi:s::p::gcp:pubsub/topic:Topic::t"
                wanted = to_struct({"name": "t", "project": "p"})
                call = stub.Create.future(provider_pb2.CreateRequest(urn=urn, properties=wanted))
                caller, _ = silent.accept()
                assert caller.recv(4).decode() == "PUT "
                engine.kill()
                assert psutil.wait_procs([plugin], timeout=PATIENCE_SECONDS)[1] == []
                assert call.exception(timeout=PATIENCE_SECONDS) is not None
                caller.close()
        finally:
            engine.kill()
            engine.communicate()
            if plugin.is_running():
                plugin.kill()


def test_starts_without_the_sdk() -> None:
    code = "import engine.standin.provider, sys; print('pulumi.resource' in sys.modules)"

    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert answer.stdout == "False\n"
