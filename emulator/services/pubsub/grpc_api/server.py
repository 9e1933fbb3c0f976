"""The gRPC server of Pub/Sub; it runs in a thread of its own, from the first client on."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Mapping
from concurrent.futures import Future
from typing import Any

import grpc

from emulator.core.errors import RPC_CODES, ApiError, permission_denied, unimplemented
from emulator.services.pubsub.grpc_api import streaming_pull, transcoding
from emulator.services.pubsub.grpc_api.methods import IAM_POLICY, SERVICES, SUBSCRIBER, Method
from emulator.services.pubsub.grpc_api.streaming_pull import StreamingPull
from emulator.services.pubsub.grpc_api.transcoding import RestApi
from emulator.services.pubsub.service import PubSub

HOST = "127.0.0.1"
MAX_MESSAGE_BYTES = 20 << 20
"""Of a request; Pub/Sub limits one to 10 MB, which its own error says."""
_STOP_SECONDS = 1.0
_FORWARDED = ("authorization", "x-goog-user-project")
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcServer:
    """Serves google.pubsub.v1 and the IAM policies of its resources.

    Attributes:
        port: where it listens, on the loopback interface
    """

    def __init__(self, service: PubSub, root_url: str) -> None:
        """Start to serve.

        Args:
            service: the state of Pub/Sub
            root_url: of the REST API, which answers every unary method
        """
        self._service = service
        self._root_url = root_url
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="pubsub-grpc", daemon=True
        )
        self._thread.start()
        self.port = started.result()

    def close(self) -> None:
        """End the streams and stop."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _run(self, started: Future[int]) -> None:
        try:
            self._loop.run_until_complete(self._serve(started))
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self, started: Future[int]) -> None:
        api = RestApi(self._root_url)
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.so_reuseport", 0),
            ]
        )
        for name, methods in SERVICES.items():
            handlers = {method: _unary(api, rest) for method, rest in methods.items()}
            if name == SUBSCRIBER:
                handlers["StreamingPull"] = _streaming(api, StreamingPull(self._service))
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        server.add_generic_rpc_handlers((_Unserved(),))
        port = server.add_insecure_port(f"{HOST}:0")
        await server.start()
        started.set_result(port)
        await self._stopped.wait()
        await server.stop(_STOP_SECONDS)
        await api.close()


def _unary(api: RestApi, method: Method) -> Any:
    async def serve(request: Any, context: Any) -> Any:
        return await _checked(context, api.call(method, request, _headers(context)))

    return grpc.unary_unary_rpc_method_handler(
        serve,
        request_deserializer=method.request.FromString,
        response_serializer=method.response.SerializeToString,
    )


def _streaming(api: RestApi, pull: StreamingPull) -> Any:
    async def serve(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        try:
            first = await anext(requests, None)
            if first is None:
                return
            await _require_consumer(api, first.subscription, _headers(context))
            async for response in pull.serve(first, requests):
                yield response
        except ApiError as error:
            await _abort(context, error)

    return grpc.stream_stream_rpc_method_handler(
        serve,
        request_deserializer=streaming_pull.REQUEST.FromString,
        response_serializer=streaming_pull.RESPONSE.SerializeToString,
    )


async def _require_consumer(api: RestApi, subscription: str, headers: Mapping[str, str]) -> None:
    """Refuse a stream whose caller may not consume messages of a subscription.

    Raises:
        ApiError: 403; or that of REST, such as 404 if the subscription does not exist
    """
    subscriber, policies = SERVICES[SUBSCRIBER], SERVICES[IAM_POLICY]
    test = policies["TestIamPermissions"]
    permission = "pubsub.subscriptions.consume"
    held = await api.call(
        test, test.request(resource=subscription, permissions=[permission]), headers
    )
    if not held.permissions:
        get = subscriber["GetSubscription"]
        await api.call(get, get.request(subscription=subscription), headers)
        raise permission_denied("User not authorized to perform this action.")


def _headers(context: Any) -> dict[str, str]:
    """Return what REST gets of the metadata of a call."""
    return {key: value for key, value in context.invocation_metadata() if key in _FORWARDED}


class _Unserved(grpc.GenericRpcHandler):
    """Refuses methods that no other handler serves, by name."""

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of a method; streams take in unary calls."""
        method = handler_call_details.method.strip("/").replace("/", ".")

        async def refuse(_requests: Any, context: Any) -> None:
            error = unimplemented(f"{method} is not served by the local Google Cloud yet.")
            await _abort(context, error)

        return grpc.stream_stream_rpc_method_handler(refuse)


async def _checked(context: Any, answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except ApiError as error:
        return await _abort(context, error)


async def _abort(context: Any, error: ApiError) -> Any:
    details = (("grpc-status-details-bin", transcoding.status_details(error)),)
    await context.abort(_CODES[RPC_CODES.get(error.status, 2)], error.message, details)
