"""gRPC channels of tests, which talk to many servers that live for seconds."""

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS


def channel_to(address: str) -> grpc.Channel:
    """A channel that shares its connection with no other channel of the process.

    gRPC keeps one connection an address, and for up to some seconds the failure to open it. An
    engine that gets the port of an earlier one would be unavailable to its program.
    """
    options = [*_GRPC_CHANNEL_OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
    return grpc.insecure_channel(address, options=options)
