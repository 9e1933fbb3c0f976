"""Operations: every change answers with one, which clients poll until it is `DONE`.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1/globalOperations. A change
is done here before its answer is sent, but for the instances of a group, which follow.
"""

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.core import timestamps
from emulator.services.compute.errors import ComputeError
from emulator.services.compute.fields import number
from emulator.services.compute.names import link, parts_of
from emulator.services.compute.resources import Resources
from emulator.services.iam import callers

COLLECTION = "operations"
JSON_KIND = "compute#operation"
_KEPT = timedelta(days=14)

Json = dict[str, Any]


class Operations:
    """The operations of all projects.

    Args:
        resources: keep them
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def add(
        self,
        type_: str,
        target: str,
        target_id: str,
        *,
        error: ComputeError | None = None,
        warnings: list[str] | None = None,
    ) -> Json:
        """Record a change that is over.

        Args:
            type_: of the operation, such as `insert`
            target: name of the resource
            target_id: its numeric id
            error: why it failed
            warnings: what the client should know of a change that succeeded

        Returns:
            The operation.
        """
        parts = parts_of(target)
        id_ = f"operation-{time.time_ns() // 10**6}-{secrets.token_hex(7)[:13]}"
        id_ = f"{id_}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
        name = f"projects/{parts.project}/{parts.location}/{COLLECTION}/{id_}"
        now = timestamps.now("milliseconds")
        body: Json = {
            "kind": JSON_KIND,
            "id": number(),
            "name": id_,
            "operationType": type_,
            "targetLink": link(target),
            "targetId": target_id,
            "status": "DONE",
            "user": callers.OWNER.partition(":")[2],
            "progress": 100,
            **dict.fromkeys(("insertTime", "startTime", "endTime"), now),
            "selfLink": link(name),
        }
        scope, _, _ = parts.location.partition("/")
        if scope != "global":
            location = link(f"projects/{parts.project}/{parts.location}")
            body[scope.removesuffix("s")] = location
        if error is not None:
            body["error"] = {"errors": [{"code": error.reason, "message": error.message}]}
            body["httpErrorStatusCode"] = error.code
            body["httpErrorMessage"] = error.status.replace("_", " ")
        if warnings:
            body["warnings"] = [{"code": "UNREACHABLE", "message": text} for text in warnings]
        self._resources.create(name, body)
        return body

    def prune(self) -> None:
        """Delete those that are as old as Google deletes them."""
        before = timestamps.to_rfc3339(datetime.now(UTC) - _KEPT, "milliseconds")
        self._resources.prune(COLLECTION, "insertTime", before)
