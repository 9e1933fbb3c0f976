"""StreamingPull: messages are sent as they come, within the client's flow control.

Documented: `StreamingPullRequest` of google/pubsub/v1/pubsub.proto; clients accept a response of
any size. Inferred (conformance: pubsub-keep-alive): the empty response to a keep-alive.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.pubsub_v1.types import pubsub

from emulator.core.errors import failed_precondition, invalid_argument
from emulator.services.pubsub.service import PubSub
from emulator.services.pubsub.subscriptions import Subscription, endpoint

REQUEST = pubsub.StreamingPullRequest.pb()
RESPONSE = pubsub.StreamingPullResponse.pb()
MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS = 10, 600
MAX_MESSAGES, MAX_BYTES = 100, 1 << 20
"""Of a response, unless one message is larger."""
_MAX_WAIT_SECONDS = 30.0
_FIRST_ONLY = ("subscription", "max_outstanding_messages", "max_outstanding_bytes", "client_id")


@dataclass
class Stream:
    """An open stream.

    Attributes:
        subscription: the full name of the subscription
        deadline: the seconds that a client has to acknowledge a message
        max_messages: how many messages may be outstanding; unlimited if 0 or less
        max_bytes: how many bytes of messages may be; unlimited if 0 or less
        answers_keep_alives: whether an empty request gets an empty response
        sent: the acknowledgement ids of messages that may be outstanding
        changed: set when messages may be due, or less may be outstanding
        keep_alives: the number of empty requests that wait for an empty response
    """

    subscription: str
    deadline: int
    max_messages: int
    max_bytes: int
    answers_keep_alives: bool
    sent: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    keep_alives: int = 0


class StreamingPull:
    """All open streams. The methods run in the event loop of the gRPC server."""

    def __init__(self, service: PubSub) -> None:
        self._service = service
        self._events: dict[int, asyncio.Event] = {}
        loop = asyncio.get_running_loop()
        service.messages.on_change(lambda: _call_soon(loop, self._wake))

    async def serve(self, first: Any, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield responses until the client ends its requests.

        Args:
            first: the first request
            requests: the others

        Raises:
            ApiError: 400 for an invalid request, 404 if the subscription does not exist, or no more
        """
        stream = _open(first)
        self._events[id(stream)] = stream.changed
        reader = asyncio.create_task(self._read(stream, requests))
        reader.add_done_callback(lambda _: stream.changed.set())
        try:
            while not reader.done():
                stream.changed.clear()
                while stream.keep_alives:
                    stream.keep_alives -= 1
                    yield RESPONSE()
                response, wait = await asyncio.to_thread(self._next, stream)
                if response is not None:
                    yield response
                else:
                    await _wait(stream.changed, wait)
            reader.result()
        finally:
            del self._events[id(stream)]
            reader.cancel()

    async def _read(self, stream: Stream, requests: AsyncIterator[Any]) -> None:
        """Acknowledge and extend what the client asks for after the first request."""
        async for request in requests:
            if wrong := [name for name in _FIRST_ONLY if getattr(request, name)]:
                raise invalid_argument(f"{wrong[0]} can only be set on the first request.")
            if request.stream_ack_deadline_seconds:
                stream.deadline = _deadline(request.stream_ack_deadline_seconds)
            if not (request.ack_ids or request.modify_deadline_ack_ids):
                stream.keep_alives += stream.answers_keep_alives
            await asyncio.to_thread(self._apply, stream, request)
            stream.changed.set()

    def _apply(self, stream: Stream, request: Any) -> None:
        messages = self._service.messages
        subscription = self._service.subscriptions.get(stream.subscription)
        if request.ack_ids:
            messages.acknowledge(subscription, list(request.ack_ids))
        ack_ids, seconds = request.modify_deadline_ack_ids, request.modify_deadline_seconds
        if len(ack_ids) != len(seconds):
            raise invalid_argument(
                f"{len(ack_ids)} modify_deadline_ack_ids and {len(seconds)} "
                "modify_deadline_seconds: there must be as many."
            )
        for ack_id, number in zip(ack_ids, seconds, strict=True):
            if not 0 <= number <= MAX_DEADLINE_SECONDS:
                raise invalid_argument(f"modify_deadline_seconds {number}: 0 to 600")
            messages.modify_ack_deadline(subscription, [ack_id], number)

    def _next(self, stream: Stream) -> tuple[Any, float]:
        """Return the next response, or None and the seconds until there may be one."""
        subscription = self._subscription(stream.subscription)
        leases = self._service.messages.leases(stream.sent)
        stream.sent = {lease.ack_id for lease in leases}
        room = _room(stream.max_messages, len(leases), MAX_MESSAGES)
        bytes_left = _room(stream.max_bytes, sum(lease.size for lease in leases), MAX_BYTES)
        now = time.time()
        if room <= 0 or bytes_left <= 0:
            return None, min(lease.due for lease in leases) - now
        within = {**subscription, "ackDeadlineSeconds": stream.deadline}
        received = self._service.messages.pull(within, room, bytes_left)
        if not received:
            due = self._service.messages.next_due(stream.subscription)
            return None, _MAX_WAIT_SECONDS if due is None else due - now
        stream.sent |= {each["ackId"] for each in received}
        properties = {
            "exactlyOnceDeliveryEnabled": bool(subscription.get("enableExactlyOnceDelivery")),
            "messageOrderingEnabled": bool(subscription.get("enableMessageOrdering")),
        }
        body = {"receivedMessages": received, "subscriptionProperties": properties}
        return json_format.ParseDict(body, RESPONSE(), ignore_unknown_fields=True), 0

    def _subscription(self, name: str) -> Subscription:
        subscription = self._service.subscriptions.get(name)
        if endpoint(subscription):
            raise failed_precondition("This method is not supported for push subscriptions.")
        return subscription

    def _wake(self) -> None:
        for event in self._events.values():
            event.set()


def _open(request: Any) -> Stream:
    return Stream(
        subscription=request.subscription,
        deadline=_deadline(request.stream_ack_deadline_seconds),
        max_messages=request.max_outstanding_messages,
        max_bytes=request.max_outstanding_bytes,
        answers_keep_alives=request.protocol_version >= 1,
    )


def _deadline(seconds: int) -> int:
    if not MIN_DEADLINE_SECONDS <= seconds <= MAX_DEADLINE_SECONDS:
        raise invalid_argument(
            f"stream_ack_deadline_seconds {seconds}: "
            f"{MIN_DEADLINE_SECONDS} to {MAX_DEADLINE_SECONDS}"
        )
    return seconds


def _room(limit: int, taken: int, most: int) -> int:
    """Return how much more may be sent, and at most in one response."""
    return min(limit - taken, most) if limit > 0 else most


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), min(max(seconds, 0.01), _MAX_WAIT_SECONDS))


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop was closed: the emulator stops
        loop.call_soon_threadsafe(function)
