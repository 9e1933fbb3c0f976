"""The responses that each check of the conformance kit has got, to run it again on altered ones."""

import io
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from PIL import Image, ImageOps

from conformance.check import Check, Lab
from conformance.run import run


@dataclass
class Tape:
    """The input of a check: its responses, and what earlier checks have shared with it.

    Attributes:
        check: the check
        lab: of the run
        shared: `lab.shared` as it was before the check
        responses: in the order of the calls
    """

    check: Check
    lab: Lab
    shared: dict[str, Any]
    responses: list[requests.Response] = field(default_factory=list)

    def play(self) -> Any:
        """Run the check on the tape; return its normalised answer."""
        player: Any = _Player(self.responses)
        cloud = replace(self.lab.cloud, session=player)
        lab = replace(self.lab, cloud=cloud, shared=deepcopy(self.shared))
        return run([self.check], lab, lambda _: None)[self.check.id]

    def altered(self) -> Iterator["Tape"]:
        """Yield tapes that differ from this one in one value."""
        for number, response in enumerate(self.responses):
            for other in _altered(response):
                played = [*self.responses[:number], other, *self.responses[number + 1 :]]
                yield replace(self, responses=played)
        for shared in _altered_json(self.shared):
            yield replace(self, shared=shared)


def recorded(check: Check, tapes: dict[str, Tape]) -> Check:
    """Return a check that keeps the tape of its last run."""

    def answer(lab: Lab) -> Any:
        tape = tapes[check.id] = Tape(check, lab, deepcopy(lab.shared))
        recorder: Any = _Recorder(lab.cloud.session, tape.responses)
        return check.run(replace(lab, cloud=replace(lab.cloud, session=recorder)))

    return replace(check, run=answer)


@dataclass
class _Recorder:
    session: requests.Session
    responses: list[requests.Response]

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        response = self.session.request(method, url, **options)
        self.responses.append(response)
        return response


class _Player:
    def __init__(self, responses: list[requests.Response]) -> None:
        self._rest = iter(responses)

    def request(self, *_: Any, **__: Any) -> requests.Response:
        try:
            return next(self._rest)
        except StopIteration:
            raise LookupError("the tape has ended") from None


def _altered(response: requests.Response) -> Iterator[requests.Response]:
    """Yield responses that differ in one value; the last one has another status."""
    bodies = [(response.status_code, content) for content in _altered_contents(response)]
    for status, content in [*bodies, (418, response.content)]:
        other = requests.Response()
        other.status_code, other.headers, other._content = status, response.headers, content
        yield other


def _altered_contents(response: requests.Response) -> Iterator[bytes]:
    """Yield bodies that differ from a response's in one value, or in the colours of its picture."""
    content_type = response.headers.get("Content-Type", "")
    if "json" in content_type and response.content:
        yield from (json.dumps(one).encode() for one in _altered_json(response.json()))
    elif content_type.startswith("image/"):
        picture = Image.open(io.BytesIO(response.content))
        inverted = io.BytesIO()
        ImageOps.invert(picture.convert("L")).save(inverted, picture.format)
        yield inverted.getvalue()
    else:
        for at in range(len(response.content)):
            byte = bytes([response.content[at] ^ 1])
            yield response.content[:at] + byte + response.content[at + 1 :]


def _altered_json(value: Any) -> Iterator[Any]:
    """Yield JSON that differs in one value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ({**value, key: one} for one in _altered_json(inner))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], one, *value[at + 1 :]] for one in _altered_json(inner))
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    else:
        yield f"{value} altered"
