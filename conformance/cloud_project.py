"""A Google Cloud to call: the real one, or a local one at a single address."""

import json as json_module
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from scripts.lib.errors import ScriptError
from scripts.lib.google import clients

ROOTS = {
    "artifactregistry": "https://artifactregistry.googleapis.com",
    "bigquery": "https://bigquery.googleapis.com",
    "cloudresourcemanager": "https://cloudresourcemanager.googleapis.com",
    "healthcare": "https://healthcare.googleapis.com",
    "iam": "https://iam.googleapis.com",
    "iamcredentials": "https://iamcredentials.googleapis.com",
    "logging": "https://logging.googleapis.com",
    "monitoring": "https://monitoring.googleapis.com",
    "pubsub": "https://pubsub.googleapis.com",
    "secretmanager": "https://secretmanager.googleapis.com",
    "serviceusage": "https://serviceusage.googleapis.com",
    "storage": "https://storage.googleapis.com",
}
"""Google's own address of each service."""
TIMEOUT_SECONDS = 60.0
RETRY_SECONDS = 1.0
_TRANSIENT = frozenset({429, 502, 503, 504})

Json = Any


@dataclass(frozen=True)
class Reply:
    """An HTTP response.

    Attributes:
        status: the HTTP status code
        content_type: the header, without its boundary
        content: the body
    """

    status: int
    content_type: str
    content: bytes

    @property
    def is_ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status < 300

    def json(self) -> Json:
        """Return the body, parsed.

        Raises:
            ValueError: the body is not valid JSON
        """
        return json_module.loads(self.content)


@dataclass(frozen=True)
class CloudProject:
    """A project and a location in a Google Cloud.

    Attributes:
        name: for messages: `Google Cloud`, or `the local Google Cloud`
        project: the id of the project
        location: of the Healthcare dataset and the bucket
        session: adds the credentials to requests
        root: the address of all services; None for Google's own addresses
        max_wait_seconds: how long to wait for an eventually consistent result, such as a grant that
            propagates, a log entry or a notification
    """

    name: str
    project: str
    location: str
    session: requests.Session
    root: str | None = None
    max_wait_seconds: float = 180.0

    def url(self, service: str, path: str) -> str:
        """Return the URL of a path, such as `v1/projects/P`."""
        return f"{self.root or ROOTS[service]}/{path}"

    def send(
        self,
        service: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Call a service; retry once where it is overloaded.

        Raises:
            requests.RequestException: no response, or one that was cut off
        """

        def attempt() -> requests.Response:
            return self.session.request(
                method,
                self.url(service, path),
                params=params,
                json=json,
                data=data,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
            )

        response = attempt()
        if response.status_code in _TRANSIENT:
            time.sleep(RETRY_SECONDS)
            response = attempt()
        content_type = response.headers.get("Content-Type", "").partition("boundary=")[0]
        return Reply(response.status_code, content_type.strip(" ;"), response.content)

    def subscriber(self) -> Any:
        """Return a client of Pub/Sub over gRPC; close it after use."""
        import grpc
        from google.pubsub_v1 import SubscriberClient
        from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

        if self.root is None:
            return SubscriberClient(credentials=clients.credentials())
        channel = grpc.insecure_channel(urlsplit(self.root).netloc)
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))

    def require(self, service: str, method: str, path: str, **options: Any) -> Json:
        """Call a service and return the parsed response.

        Raises:
            ScriptError: the call was refused
        """
        reply = self.send(service, method, path, **options)
        if not reply.is_ok:
            raise ScriptError(
                f"{self.name} refused {method} {path} with status {reply.status}: "
                f"{reply.content[:500].decode('utf-8', 'replace')}"
            )
        return reply.json() if reply.content else {}
