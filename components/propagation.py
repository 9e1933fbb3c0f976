"""Retry while IAM grants propagate, and while what Google creates by itself does not exist yet.

A new role can be unknown to a service for minutes, and no API reports its propagation. The engine
retries with exponential backoff until a deadline. Google says that changes of access take two
minutes typically, seven or more at times:
https://cloud.google.com/iam/docs/access-change-propagation

A service agent and a new Healthcare dataset are created asynchronously too: for a while, a grant to
the agent is refused because it does not exist, and a store because its dataset is not initialized.
"""

import asyncio
import random
import re
import secrets
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
_NOT_YET = re.compile(
    r"@(?:gcp-sa-[\w-]+|bigquery-encryption)\.\S+ does not exist|dataset not initialized",
    re.IGNORECASE,
)
_NEW_ACCOUNT = re.compile(r"\.iam\.gserviceaccount\.com does not exist", re.IGNORECASE)
_EXISTS = re.compile(r"already ?exists", re.IGNORECASE)
_INITIAL_WAIT, _MAX_WAIT = 1.0, 30.0
_SPREADING = "refused; the grant it needs may still be spreading."
_MISSING = "refused; what it refers to may still be being created by Google."
EXISTS_HINT = (
    "exists in Google Cloud already, outside this stack. `make adopt STACK={stack}` brings it "
    "under the stack without a change (in a program of your own: `pulumi import`). Or choose "
    "another name."
)
"""What to do about a resource that exists, after its name."""
LATE_HINT = (
    f"still refused after {DEADLINE / 60:.0f} minutes. Check the role or the service agent that "
    "the error names, then run `pulumi up` again: it continues where this update ended."
)
"""What to do after the deadline, after the name of the resource."""


class PropagationRetry:
    """How long, and how often, refused operations are tried again.

    Args:
        deadline: seconds from the first refusal
        grants: whether a refusal for lack of permission is worth a retry
        accounts: whether a service account that does not exist is worth one
    """

    def __init__(
        self, deadline: float = DEADLINE, *, grants: bool = True, accounts: bool = False
    ) -> None:
        self._deadline = deadline
        self._grants, self._accounts = grants, accounts
        self._since: dict[str, float] = {}

    def wait(self, urn: str, errors: list[str]) -> float | None:
        """Return the seconds to wait before the next try; None after the deadline.

        Args:
            urn: The resource.
            errors: What its tries ended with, the newest first.
        """
        if not errors or not self.is_temporary(errors[0]):
            return None
        now = time.monotonic()
        left = self._since.setdefault(urn, now) + self._deadline - now
        if left <= 0:
            return None
        wait: float = min(_INITIAL_WAIT * 2 ** (len(errors) - 1), _MAX_WAIT)
        return min(random.uniform(0.5, 1) * wait, left)  # noqa: S311 (jitter)

    def is_temporary(self, error: str) -> bool:
        """Whether an error may go away by itself."""
        return bool(
            _NOT_YET.search(error)
            or (self._grants and _REFUSED.search(error))
            or (self._accounts and _NEW_ACCOUNT.search(error))
        )


def after_grants() -> pulumi.ResourceHookBinding | None:
    """Hooks of a resource that needs a grant made shortly before it; see `hooks`."""
    return hooks(grants=True)


def after_accounts() -> pulumi.ResourceHookBinding | None:
    """Hooks of a grant to a service account that the program has just created; see `hooks`.

    IAM is eventually consistent: other services may not know the account for a minute.
    https://cloud.google.com/iam/docs/access-change-propagation
    """
    return hooks(accounts=True)


def hooks(*, grants: bool = False, accounts: bool = False) -> pulumi.ResourceHookBinding | None:
    """Hooks of a resource: what does not exist yet is waited for, and what exists is explained.

    None where no engine listens: in tests with mocks, and under an engine without error hooks.

    Args:
        grants: whether the resource needs a grant made shortly before it
        accounts: whether it needs a service account made shortly before it
    """
    monitor = get_monitor()
    if not isinstance(monitor, ResourceMonitorStub):
        return None
    if not monitor_supports_feature(resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS):
        return None
    registered = _hooks.setdefault(monitor, {})
    key = (grants, accounts)
    if key not in registered:
        registered[key] = _hook(grants=grants, accounts=accounts)
    return pulumi.ResourceHookBinding(on_error=[registered[key]])


# A hook for each kind and engine: a process may run programs on several, one after the other.
_hooks: WeakKeyDictionary[ResourceMonitorStub, dict[tuple[bool, bool], pulumi.ErrorHook]] = (
    WeakKeyDictionary()
)


def _hook(*, grants: bool, accounts: bool) -> pulumi.ErrorHook:
    patience = PropagationRetry(grants=grants, accounts=accounts)

    async def again(args: pulumi.ErrorHookArgs) -> bool:
        if args.failed_operation == "delete" or not args.errors:
            return False
        error = args.errors[0]
        if args.failed_operation == "create" and _EXISTS.search(error):
            pulumi.log.warn(f"{args.name} {EXISTS_HINT.format(stack=pulumi.get_stack())}")
            return False
        wait = patience.wait(args.urn, args.errors)
        if wait is None:
            if patience.is_temporary(error):
                pulumi.log.warn(f"{args.name}: {LATE_HINT}")
            return False
        if len(args.errors) == 1:
            missing = _NOT_YET.search(error) or _NEW_ACCOUNT.search(error)
            pulumi.log.info(f"{args.name}: {_MISSING if missing else _SPREADING}")
        await asyncio.sleep(wait)
        return True

    # An engine takes each name once, and every component of a package registers its own hooks.
    name = f"{'wait-for-grants' if grants else 'wait-for-creation'}-{secrets.token_hex(4)}"
    return pulumi.ErrorHook(name, again)
