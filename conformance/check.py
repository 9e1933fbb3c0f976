"""A check: a few calls whose normalised answer is compared, and the cloud where it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance import samples
from conformance.cloud_project import CloudProject, Json, Reply
from conformance.names import Names
from conformance.waiting import wait_until

DICOM_JSON = "application/dicom+json"
MAX_TEXT = 2_000
"""Characters of a body that is not JSON."""


@dataclass
class Lab:
    """The resources of a run in one cloud, with the calls that checks make.

    Attributes:
        cloud: the cloud
        names: of the resources
        number: the number of the project
        shared: results that several checks use, by name
    """

    cloud: CloudProject
    names: Names
    number: str
    shared: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, work: Callable[["Lab"], Any]) -> Any:
        """Return the result of some work that is done once for all checks."""
        if name not in self.shared:
            self.shared[name] = work(self)
        return self.shared[name]

    def call(self, service: str, method: str, path: str, **options: Any) -> Json:
        """Call a service; return what the check compares of its response."""
        return shape(self.cloud.send(service, method, path, **options))

    def healthcare(self, method: str, path: str, **options: Any) -> Json:
        """Call the Healthcare API; the path follows `v1/`."""
        return self.call("healthcare", method, f"v1/{path}", **options)

    def dicom_web(
        self,
        path: str,
        accept: str = DICOM_JSON,
        *,
        store: str = "main",
        params: Mapping[str, str] | None = None,
    ) -> Reply:
        """Read from the DICOMweb service of a store."""
        return self.cloud.send(
            "healthcare",
            "GET",
            f"v1/{self.names.store(store)}/dicomWeb/{path}",
            params=params,
            headers={"Accept": accept},
        )

    def store_instance(
        self, store: str, content: bytes, study: str = "", accept: str = DICOM_JSON
    ) -> Json:
        """Store an instance; return what the check compares of the response."""
        path = f"{self.names.store(store)}/dicomWeb/studies" + (f"/{study}" if study else "")
        headers = {"Content-Type": "application/dicom", "Accept": accept}
        return self.healthcare("POST", path, data=content, headers=headers)

    def metadata(self, study: str, number: int) -> Json:
        """Return the metadata of a sample, or the shape of the error."""
        reply = self.dicom_web(f"{samples.path(study, number)}/metadata")
        return reply.json()[0] if reply.is_ok else shape(reply)

    def finish(self, started: Json) -> Json:
        """Return an operation after its end, or the shape of the refusal to start it.

        Raises:
            TimeoutError: it does not end
        """
        body = started["body"]
        if started["status"] != 200:
            return started

        def poll() -> Json:
            operation = self.cloud.require("healthcare", "GET", f"v1/{body['name']}")
            return operation if operation.get("done") else None

        return wait_until(poll, max(self.cloud.max_wait_seconds, 600.0), str(body["name"]))


@dataclass(frozen=True)
class Check:
    """A behaviour of Google Cloud that the emulator infers, and the calls that show it.

    Attributes:
        id: the name that comments in `emulator/` use: `Inferred (conformance: ID)`
        title: the behaviour, in a few words
        run: makes the calls; returns JSON
    """

    id: str
    title: str
    run: Callable[[Lab], Json]


def shape(reply: Reply) -> Json:
    """Return what is compared of a response: its status, media type and body."""
    body: Json
    if "json" in reply.content_type:
        body = reply.json() if reply.content else ""
    else:
        body = reply.content[:MAX_TEXT].decode("utf-8", "replace")
    return {"status": reply.status, "content_type": reply.content_type, "body": body}


def parts(content: bytes) -> list[bytes]:
    """Return the contents of the parts of a multipart body."""
    boundary = content.lstrip().partition(b"\r\n")[0]
    pieces = content.lstrip().removeprefix(boundary).split(b"\r\n" + boundary)
    return [piece.partition(b"\r\n\r\n")[2] for piece in pieces if not piece.startswith(b"--")]
