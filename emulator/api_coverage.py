"""The methods of the Cloud Healthcare API that are served, found by their routes.

`python -m emulator.api_coverage` writes the table into `docs/methods.md`; a test compares them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.routing import Match, Route

from emulator.cloud import Cloud
from emulator.core.discovery import document
from emulator.core.settings import Settings
from emulator.services.healthcare.routes import routes

DOCS = Path(__file__).parents[1] / "docs" / "methods.md"
BEGIN = "<!-- made by `python -m emulator.api_coverage` -->\n"
END = "<!-- end -->\n"
RESOURCES = ("datasets", "operations", "dicomStores", "fhirStores", "hl7V2Stores")
"""The resources whose methods are listed, with all resources below them."""

_DATASETS = "projects.locations.datasets"
_WORKSPACES = (
    "the discovery document has no method that creates a workspace, so that there is none that "
    "could have a policy (501)"
)
_CDC = (
    "all but `changeDataCaptureConfig` (501): no public page names the primary key of its tables, "
    "or says what a deletion leaves there"
)
_DEIDENTIFY = (
    "all but `operationMetadata` (501), which is not built yet and which Google documents as "
    "[Provenance resources](https://cloud.google.com/healthcare-api/docs/how-tos/fhir-annotation)"
)
_DEIDENTIFY_FHIR = (
    "all but `operationMetadata` (501), of which the API writes none for FHIR resources"
)
_COHORT = "no public page defines how its FHIRPath expressions choose resources (501)"
_NO_WORKSPACES = {
    f"{_DATASETS}.dataMapperWorkspaces.{verb}": _WORKSPACES
    for verb in ("getIamPolicy", "setIamPolicy", "testIamPermissions")
}
NOTES: Mapping[str, Mapping[str, str]] = {
    "v1": _NO_WORKSPACES,
    "v1beta1": {
        **_NO_WORKSPACES,
        f"{_DATASETS}.fhirStores.executeCohort": _COHORT,
        f"{_DATASETS}.deidentify": _DEIDENTIFY,
        f"{_DATASETS}.dicomStores.deidentify": _DEIDENTIFY,
        f"{_DATASETS}.fhirStores.deidentify": _DEIDENTIFY_FHIR,
        **{
            f"{_DATASETS}.{stores}.{verb}": _CDC
            for stores in ("dicomStores", "fhirStores")
            for verb in ("create", "patch", "export")
        },
    },
}
"""Limitations of served methods, and reasons why others are not, by version and method."""


@dataclass(frozen=True)
class Method:
    """One method of the API.

    Attributes:
        name: its name in the discovery document, such as `projects.locations.datasets.get`
        http: the HTTP method
        path: a sample path, with `x` for every variable
        served: whether there is a route
        missing: what is not supported, or why the method is not; empty if everything is
    """

    name: str
    http: str
    path: str
    served: bool
    missing: str = ""

    @property
    def state(self) -> str:
        """Whether it is served, partly served (with what is missing), or not served (and why)."""
        if not self.served:
            return f"not served: {self.missing}" if self.missing else "not served"
        return f"partly: {self.missing}" if self.missing else "served"


@contextmanager
def offline_cloud() -> Iterator[Cloud]:
    """Yield a local Google Cloud without state or backends, whose routes can be read."""
    nowhere = "http://127.0.0.1:1"
    with TemporaryDirectory() as folder:
        cloud = Cloud(Settings(Path(folder), nowhere, nowhere, nowhere))
        try:
            yield cloud
        finally:
            cloud.close()


@cache
def _healthcare_routes() -> Sequence[Route]:
    with offline_cloud() as cloud:
        return [*routes(cloud.healthcare)]


def methods(version: str = "v1") -> list[Method]:
    """Return every method of the listed resources, in the order of the discovery document."""
    known = _healthcare_routes()
    found = []
    for item in _methods(document("healthcare", version)["resources"]):
        if set(item["id"].split(".")) & set(RESOURCES):
            name = item["id"].removeprefix("healthcare.")
            missing = NOTES[version].get(name, "")
            served = _serves(known, item)
            found.append(Method(name, item["httpMethod"], sample(item), served, missing))
    return found


def _methods(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


def _serves(known: Sequence[Route], method: Mapping[str, Any]) -> bool:
    http, path = method["httpMethod"], sample(method)
    scope = {"type": "http", "method": http, "path": path, "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in known)


def sample(method: Mapping[str, Any]) -> str:
    """Return a path of a method, with `x` for every variable."""
    return "/" + re.sub(r"\{[^}]+\}", "x", method.get("flatPath", method["path"]))


def table() -> str:
    """Return the tables as Markdown: v1 by resource, then what differs in v1beta1."""
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


def insert_table(page: str) -> str:
    """Return a page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    DOCS.write_text(insert_table(DOCS.read_text()))
