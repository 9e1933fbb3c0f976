"""A session whose responses are altered, as those of another version of a service would be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True)
class Alteration:
    """A difference in the responses of a service.

    Attributes:
        checks: the checks that have to find it
        url: a pattern of the URLs whose responses are altered
        old: a part of the body
        new: what stands there instead
    """

    checks: frozenset[str]
    url: str
    old: bytes
    new: bytes


class AlteredSession(requests.Session):
    """A session that alters responses.

    Attributes:
        met: the URL patterns whose responses were altered
    """

    def __init__(self, alterations: Sequence[Alteration]) -> None:
        super().__init__()
        self.trust_env = False
        self._alterations = alterations
        self.met: set[str] = set()

    def request(self, method: Any, url: Any, *rest: Any, **options: Any) -> requests.Response:
        response = super().request(method, url, *rest, **options)
        for one in self._alterations:
            if re.search(one.url, str(url)) and one.old in response.content:
                response._content = response.content.replace(one.old, one.new)
                self.met.add(one.url)
        return response
