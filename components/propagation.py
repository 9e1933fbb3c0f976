"""Grants take time to spread: try again what was refused for want of one.

A role given a second ago may be unknown to the service that asks for it. Nobody can see whether it
has spread but by trying, so the engine tries again, ever less often, until a deadline. Google says
that changes of access take two minutes as a rule, seven or more at times:
https://cloud.google.com/iam/docs/access-change-propagation
"""

import asyncio
import random
import re
import time
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.settings import get_monitor, monitor_supports_feature

DEADLINE = 600.0
"""Seconds from the first refusal until it counts as final."""

_REFUSED = re.compile(
    r"permission|lacks|does not have|not authorized|accessdenied|forbidden|\b403\b", re.IGNORECASE
)
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0


class Patience:
    """How long, and how often, refused operations are tried again."""

    def __init__(self, deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        self._since: dict[str, float] = {}

    def wait(self, urn: str, errors: list[str]) -> float | None:
        """Seconds to wait before the next try; None to give up.

        Args:
            urn: The resource.
            errors: What its tries ended with, the newest first.
        """
        if not errors or not _REFUSED.search(errors[0]):
            return None
        now = time.monotonic()
        left = self._since.setdefault(urn, now) + self._deadline - now
        if left <= 0:
            return None
        wait: float = min(_FIRST_WAIT * 2 ** (len(errors) - 1), _LONGEST_WAIT)
        return min(random.uniform(0.5, 1) * wait, left)  # noqa: S311 (jitter)


def after_grants() -> pulumi.ResourceHookBinding | None:
    """Hooks of a resource that needs a grant made shortly before it.

    None where no engine listens: in tests with mocks, and under an engine without error hooks.
    """
    monitor = get_monitor()
    if not isinstance(monitor, ResourceMonitorStub):
        return None
    if not monitor_supports_feature(resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS):
        return None
    hook = _hooks.get(monitor)
    if hook is None:
        hook = _hooks[monitor] = _hook()
    return pulumi.ResourceHookBinding(on_error=[hook])


# One hook an engine: a process may run programs on several, one after the other.
_hooks: WeakKeyDictionary[ResourceMonitorStub, pulumi.ErrorHook] = WeakKeyDictionary()


def _hook() -> pulumi.ErrorHook:
    patience = Patience()

    async def again(args: pulumi.ErrorHookArgs) -> bool:
        if args.failed_operation == "delete":
            return False
        wait = patience.wait(args.urn, args.errors)
        if wait is None:
            return False
        if len(args.errors) == 1:
            pulumi.log.info(f"{args.name}: refused; the grant it needs may still be spreading.")
        await asyncio.sleep(wait)
        return True

    return pulumi.ErrorHook("wait-for-grants", again)
