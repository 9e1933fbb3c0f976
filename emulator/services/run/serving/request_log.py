"""The log of requests of services.

Documented (https://cloud.google.com/run/docs/logging): the log `run.googleapis.com/requests`, with
an `httpRequest` in each entry.
"""

import logging

from starlette.requests import Request

from emulator.core import disk
from emulator.services.logging.entries import Entries
from emulator.services.run.models import Resources

LOG = logging.getLogger(__name__)
_LOG_ID = "run.googleapis.com%2Frequests"


class RequestLog:
    """Writes an entry for each answered request.

    Args:
        entries: of Cloud Logging
        resources: the services
    """

    def __init__(self, entries: Entries, resources: Resources) -> None:
        self._entries = entries
        self._resources = resources

    def write(self, service: str, request: Request, status: int, seconds: float) -> None:
        """Write the entry of a request.

        Args:
            service: the full name
            request: what was answered
            status: of the answer
            seconds: until the last byte of the answer
        """
        _, project, _, location, _, id_ = service.split("/")
        ready = (self._resources.find(service) or {}).get("latestReadyRevision", "")
        labels = {
            "project_id": project,
            "location": location,
            "service_name": id_,
            "configuration_name": id_,
            "revision_name": ready.rpartition("/")[2],
        }
        called = {
            "requestMethod": request.method,
            "requestUrl": str(request.url),
            "status": status,
            "userAgent": request.headers.get("user-agent", ""),
            "remoteIp": request.client.host if request.client else "",
            "latency": f"{seconds:.6f}s",
            "protocol": f"HTTP/{request.scope['http_version']}",
        }
        entry = {
            "logName": f"projects/{project}/logs/{_LOG_ID}",
            "severity": "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR",
            "resource": {"type": "cloud_run_revision", "labels": labels},
            "httpRequest": called,
        }
        try:
            self._entries.write([entry], durable=False)
        except disk.DISK_ERRORS as error:
            # The request is answered: only its entry is lost.
            LOG.error("no entry of a request to %s: %s", service, error)
