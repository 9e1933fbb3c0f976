"""Which methods of the Cloud Healthcare API are served: read off the routes.

`python -m emulator.methods` writes the table into `docs/methods.md`; a test compares.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import Match, Route

from emulator.discovery import document
from emulator.healthcare.dicom.routes import routes as dicom_routes
from emulator.healthcare.routes import routes

DOCS = Path(__file__).parents[1] / "docs" / "methods.md"
BEGIN = "<!-- made by `python -m emulator.methods` -->\n"
END = "<!-- end -->\n"
RESOURCES = ("datasets", "operations", "dicomStores", "fhirStores", "hl7V2Stores")
"""The resources whose methods are listed, each with all that lies below it."""

_DATASETS = "projects.locations.datasets"
_CDC = "all but `changeDataCaptureConfig` of BigQuery (501)"
_DEIDENTIFY = "all but `operationMetadata` and `additionalInfoTypes` (501)"
PARTLY: Mapping[str, Mapping[str, str]] = {
    "v1": {},
    "v1beta1": {
        f"{_DATASETS}.deidentify": _DEIDENTIFY,
        f"{_DATASETS}.dicomStores.deidentify": _DEIDENTIFY,
        f"{_DATASETS}.dicomStores.create": "all but `changeDataCaptureConfig` of streams (501)",
        f"{_DATASETS}.dicomStores.patch": "all but `changeDataCaptureConfig` of streams (501)",
        f"{_DATASETS}.dicomStores.export": _CDC,
    },
}
"""Version of the API -> method -> what is missing of it."""


@dataclass(frozen=True)
class Method:
    """One method of the API.

    Attributes:
        name: As the discovery document names it, such as `projects.locations.datasets.get`.
        http: The verb of HTTP.
        path: A path of it, with `x` in every place.
        served: Whether a route answers it.
        missing: What it does not do; empty if nothing.
    """

    name: str
    http: str
    path: str
    served: bool
    missing: str = ""

    @property
    def state(self) -> str:
        """Served, partly (what is missing), or not."""
        if not self.served:
            return "not served"
        return f"partly: {self.missing}" if self.missing else "served"


def methods(version: str = "v1") -> list[Method]:
    """Every method of the listed resources, in the order of the discovery document."""
    known = [*dicom_routes(), *routes()]
    found = []
    for item in _methods(document("healthcare", version)["resources"]):
        if set(item["id"].split(".")) & set(RESOURCES):
            name = item["id"].removeprefix("healthcare.")
            missing = PARTLY[version].get(name, "")
            served = _serves(known, item)
            found.append(Method(name, item["httpMethod"], sample(item), served, missing))
    return found


def _methods(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


def _serves(known: Sequence[Route], method: Mapping[str, Any]) -> bool:
    path = sample(method)
    scope = {"type": "http", "method": method["httpMethod"], "path": path, "root_path": ""}
    verb = path.rpartition(":")[2] if ":" in path else ""
    for route in known:
        if route.matches(scope)[0] is Match.FULL:
            # A route to a name would also take "name:verb" for one; it does not serve the verb.
            return route.path.endswith(f":{verb}") if verb else True
    return False


def sample(method: Mapping[str, Any]) -> str:
    """A path of a method, with something in every place."""
    return "/" + re.sub(r"\{[^}]+\}", "x", method.get("flatPath", method["path"]))


def table() -> str:
    """The tables as Markdown: v1 by resource, then what is otherwise in v1beta1."""
    lines: list[str] = []
    heading = ""
    for method in methods():
        resource = method.name.rpartition(".")[0]
        if resource != heading:
            heading = resource
            lines += ["", f"### {heading.removeprefix('projects.locations.')}", "", *_HEAD]
        lines.append(_row(method, method.name.rpartition(".")[2]))
    stable = {(method.name, method.state) for method in methods()}
    lines += ["", "### What is otherwise in v1beta1", "", *_HEAD]
    for method in methods("v1beta1"):
        if (method.name, method.state) not in stable:
            lines.append(_row(method, method.name.removeprefix(f"{_DATASETS}.")))
    return "\n".join(lines).lstrip("\n") + "\n"


_HEAD = ("| method | HTTP | state |", "|---|---|---|")


def _row(method: Method, name: str) -> str:
    return f"| `{name}` | {method.http} | {method.state} |"


def written(page: str) -> str:
    """A page with the table in the place that its marks leave for it."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    DOCS.write_text(written(DOCS.read_text()))
