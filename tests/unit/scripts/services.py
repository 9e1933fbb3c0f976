"""Google's services as far as adoption asks them: what exists is a dictionary."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.unit.scripts.fakes import FakeGoogle, refusal

PROJECT = "local-project"
DATASET = f"projects/{PROJECT}/locations/us-central1/datasets/dataset1"


@dataclass
class Services(FakeGoogle):
    """Answers by name. `found` maps the path, or its end for a project, to what is there."""

    found: dict[str, Any] = field(default_factory=dict)
    lists_apart: bool = False

    def request(self, uri: str, *args: Any, **more: Any) -> Any:
        path = re.sub(r"^/(compute/)?v\d/", "", urlsplit(uri).path)
        there = self.found.get(path, self.found.get(path.removeprefix("projects/")))
        self.answers = [refusal(404, "NOT_FOUND", "no") if there is None else (200, there)]
        return super().request(uri, *args, **more)
