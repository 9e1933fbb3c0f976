"""The local Google Cloud in the process itself, as the connection pool of the stand-in."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from starlette.testclient import TestClient

from tests.support.fake_google import Reply, Request


class EmulatedGoogle:
    """Answers the stand-in's calls by the emulator, and keeps them.

    Attributes:
        client: of the emulator
        requests: the calls so far
    """

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.requests: list[Request] = []

    def request(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        """Stands where urllib3's pool stands."""
        parts = urlsplit(url)
        query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        sent = json.loads(body) if body else None
        self.requests.append(Request(method, unquote(parts.path), query, sent))
        answer = self.client.request(
            method, f"{parts.path}?{parts.query}", content=body, headers=dict(headers)
        )
        return Reply(answer.status_code, answer.content)

    def changes(self) -> list[str]:
        """Return the method and the path of each call that changes something, in order."""
        calls = [f"{one.method} {one.path}" for one in self.requests if one.method != "GET"]
        return [call for call in calls if not call.endswith("IamPolicy")]
