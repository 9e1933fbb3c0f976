"""Calls the methods of an API by their ids, and holds what they answer against its document."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
from starlette.routing import Route

from emulator.core.discovery import document, method_of
from tests.support import http, schemas
from tests.support.waiting import PATIENCE_SECONDS

_JSON = "application/json"


class Walk:
    """A way through the methods of one version of an API, which keeps what they answered.

    Attributes:
        project: The project that it is about.
        methods: What the discovery document says of each method.
        answers: What each method answered, in order.
    """

    def __init__(
        self, url: str, api: str, version: str, project: str, segments: Mapping[str, str]
    ) -> None:
        """Begin a walk.

        Args:
            url: The root of the APIs.
            api: Such as `pubsub`.
            version: Such as `v1`.
            project: The project that it is about.
            segments: The values of path placeholders that are always the same.
        """
        self.url, self.api, self.version, self.project = url, api, version, project
        self.methods = schemas.methods(api, version)
        self.answers: dict[str, list[httpx.Response]] = defaultdict(list)
        self._document = document(api, version)
        self._segments = segments

    def __call__(self, method: str, *ids: str, body: Any = None, **more: Any) -> httpx.Response:
        """Call a method, with ids for those places of its path that are not filled already."""
        answer = self.send(method, *ids, body=body, **more)
        assert answer.is_success, f"{method}: {answer.status_code} {answer.text[:500]}"
        self.answers[method].append(answer)
        return answer

    def send(
        self, method: str, *ids: str, body: Any = None, upload: bool = False, **more: Any
    ) -> httpx.Response:
        """Call a method, whatever it answers; with `upload` at the path that takes files."""
        known = self.methods[method]
        query = more.get("params", {})
        allowed = {*known.get("parameters", {}), *self._document["parameters"]}
        # Searches take attributes of DICOM and search parameters of FHIR.
        free = "dicomStores" in method or ".fhir." in method or upload
        assert set(query) <= allowed or free
        if body is not None:
            more["json"] = body
        url = f"{self.url}{self._path(known, ids, upload)}"
        return http.request(known["httpMethod"], url, timeout=PATIENCE_SECONDS, **more)

    def _path(self, known: Mapping[str, Any], ids: tuple[str, ...], upload: bool) -> str:
        path = f"/{self._document['servicePath']}{known.get('flatPath', known['path'])}"
        if upload:
            path = known["mediaUpload"]["protocols"]["simple"]["path"].replace("+", "")
        rest = iter(ids)

        def fill(placeholder: re.Match[str]) -> str:
            given = self._segments.get(placeholder[1])
            return quote(given or next(rest), safe="")

        filled = re.sub(r"\{(\w+)\}", fill, path)
        assert not list(rest), f"{path} has no placeholder for all of {ids}"
        return filled

    def faults(self, method: str) -> list[str]:
        """Say where the answers of a method are not what its document says.

        A method whose document names no answer answers 204 and nothing.
        """
        message = self.methods[method].get("response", {}).get("$ref")
        found = []
        for answer in self.answers[method]:
            content_type = answer.headers.get("content-type", "").partition(";")[0]
            if message is None:
                if (answer.status_code, answer.content) != (204, b""):
                    found.append(
                        f"{method}: {answer.status_code} {answer.text[:80]!r} is not a 204"
                    )
            elif content_type != _JSON:
                found.append(f"{method}: {content_type!r} is not {_JSON}")
            else:
                found += schemas.faults(self.api, self.version, message, answer.json())
        return found

    def says_something(self, method: str) -> bool:
        """Whether an answer of a method holds a field, or none of them could."""
        message = self.methods[method].get("response", {}).get("$ref")
        if message is None or not self._document["schemas"][message].get("properties"):
            return True
        return any(answer.json() for answer in self.answers[method])


def served(api: str, version: str, routes: Iterable[Route]) -> list[str]:
    """The methods that routes answer, by their ids without the API's name."""
    paths = [
        (verb, re.sub(r"\{\w+(:\w+)?\}", "x", route.path))
        for route in routes
        for verb in route.methods or ()
        if f"/{version}/" in route.path
    ]
    found = {method_of(verb, path) or "" for verb, path in paths if verb != "HEAD"}
    return sorted(one.removeprefix(f"{api}.") for one in found if one.startswith(f"{api}."))


def begin(url: str, project: str, *services: str) -> None:
    """Enable services in a project, which is there once it is named."""
    body = {"serviceIds": [f"{service}.googleapis.com" for service in services]}
    http.post(f"{url}/v1/projects/{project}/services:batchEnable", json=body).raise_for_status()


def let_agent_publish(walk: Walk, service: str, topic: str) -> None:
    """Create a topic of the walk's project, and let a service agent publish to it."""
    project = f"{walk.url}/v1/projects/{walk.project}"
    http.put(f"{project}/topics/{topic}", json={}).raise_for_status()
    identity = f"{project}/services/{service}.googleapis.com:generateServiceIdentity"
    answer = http.post(identity.replace("/v1/", "/v1beta1/"))
    member = f"serviceAccount:{answer.raise_for_status().json()['response']['email']}"
    policy = {"bindings": [{"role": "roles/pubsub.publisher", "members": [member]}]}
    url = f"{project}/topics/{topic}:setIamPolicy"
    http.post(url, json={"policy": policy}).raise_for_status()
