"""A session whose answers a test sets."""

import json
from collections.abc import Callable
from typing import Any, cast

import requests
from google.auth.transport.requests import AuthorizedSession

Answer = tuple[int, Any] | Exception


class FakeSession:
    """Answers each call from a list, or by a function of method, URL and body."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, str, Any]] = []
        self.respond: Callable[[str, str, Any], Answer] = lambda *_: self.answers.pop(0)

    def request(self, method: str, url: str, json: Any = None, **_: Any) -> requests.Response:
        self.calls.append((method, url, json))
        return _response(self.respond(method, url, json))

    def post(self, url: str, json: Any = None, **_: Any) -> requests.Response:
        return self.request("POST", url, json)

    def session(self) -> AuthorizedSession:
        """This, as the type of the real one."""
        return cast(AuthorizedSession, self)


def _response(answer: Answer) -> requests.Response:
    if isinstance(answer, Exception):
        raise answer
    response = requests.Response()
    response.status_code, response.reason = answer[0], "reason"
    response._content = json.dumps(answer[1]).encode()
    return response
